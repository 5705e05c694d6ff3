import { env } from "cloudflare:workers";
import { decodeJwt } from "jose";
import { describe, expect, it } from "vitest";
import { createCaller } from "../../src/worker/access/caller.ts";
import { verifyToken } from "../../src/worker/access/verify-token.ts";
import { loadConfig } from "../../src/worker/config.ts";
import { identifyCaller } from "../../src/worker/grants/identify-caller.ts";
import { narrowToken } from "../../src/worker/grants/narrow-token.ts";
import { needsFrom } from "../../src/worker/http/needs-of.ts";
import { call, put, resolve } from "../support/call.ts";
import { exchange, FORM } from "../support/exchange.ts";
import { mint } from "../support/mint.ts";
import { sign } from "../support/sign.ts";

it("takes config_vars:resolve as secrets:resolve and nothing more", async () => {
  await put("global", "ALIAS", "alias-value");
  const token = { scope: "config_vars:resolve" };
  expect((await resolve({ names: ["ALIAS"] }, { token })).body.secrets.ALIAS.value).toBe("alias-value");
  expect((await call("GET /v1/secrets", { token })).status).toBe(403);
});

it.each(["secrets:read secrets:write", "secrets:resolve:x", "SECRETS:RESOLVE", "secrets:*", "*", "secrets:read,secrets:resolve"])(
  "gives no value to a token with the scope %j",
  async (scope) => {
    await put("global", "UNRESOLVED", "unresolved-value");
    const reply = await resolve({ names: ["UNRESOLVED"] }, { token: { scope } });
    expect(reply.status).toBe(403);
    expect(reply.text).not.toContain("unresolved-value");
  },
);

it("never takes the organization from the request", async () => {
  await put("global", "TENANT", "tenant-value", { token: { org: "tenant" } });
  for (const path of ["/v1/secrets?org=tenant", "/v1/resolve/TENANT?org=tenant"]) expect((await call(`GET ${path}`)).status).toBe(400);
  const withHeaders = await resolve({ names: ["TENANT"] }, { headers: { "X-Org": "tenant", "X-Keyhole-Org": "tenant" } });
  expect(withHeaders.status).toBe(404);
  expect((await resolve({ names: ["TENANT"], org: "tenant" })).status).toBe(400);
});

it.each(["Basic x", "Bearer", "Bearer  ", "bearer a.b", "Token a.b.c", "a.b.c"])("refuses the header Authorization: %s with 401", async (Authorization) => {
  const { status, headers } = await call("GET /v1/secrets", { token: null, headers: { Authorization } });
  expect([status, headers.get("WWW-Authenticate")]).toEqual([401, 'Bearer error="invalid_token"']);
});

it("does not take a token from the query or a body", async () => {
  expect((await call(`GET /v1/secrets?access_token=${await sign()}`, { token: null })).status).toBe(401);
});

it("refuses a token of more than 8 KiB", async () => {
  expect((await call("GET /v1/secrets", { token: { note: "x".repeat(8000) } })).status).toBe(401);
});

describe("one's own token, made narrower at /oauth/token", () => {
  const OWN = "urn:ietf:params:oauth:token-type:access_token";
  type Form = Record<string, string | undefined>;
  const narrow = (token: string, form: Form = {}) => exchange(token, { audience: undefined, subject_token_type: OWN, ...form }, call);
  const whoami = async (token: string) => call("GET /v1/whoami", { token });
  const held = { secret_scopes: ["repo:acme/*", "global"], secret_names: ["DEPLOY_*"], services: ["openai", "github-*"] };

  it.each([
    ["one that is listed", () => mint({ permissions: ["secrets:read", "secrets:resolve"], ...held }).then(({ token }) => token)],
    ["one in no list", () => sign({ scope: "secrets:read secrets:resolve", ...held })],
  ])("gives what it holds where nothing is asked for, without any permission to mint: %s", async (_, make) => {
    const own = await make();
    const reply = await narrow(own);
    expect([reply.status, reply.body]).toEqual([
      200,
      { access_token: expect.any(String), issued_token_type: OWN, token_type: "Bearer", expires_in: expect.any(Number), scope: "secrets:read secrets:resolve" },
    ]);
    const [parent, child] = [decodeJwt(own), decodeJwt(reply.body.access_token)];
    expect(child).toMatchObject({ ...held, sub: parent.sub, org: "acme", anc: [...((parent.anc as string[] | undefined) ?? []), parent.jti] });
    expect(child.exp).toBeLessThanOrEqual(parent.exp ?? 0);
    expect((await whoami(reply.body.access_token)).body).toMatchObject({ ...held, permissions: ["secrets:read", "secrets:resolve"], token_id: child.jti });
  });

  it.each([
    ["secret_scopes", "repo:acme/api global", "repo:acme/*x repo:acme/*", "repo:*"],
    ["secret_names", "DEPLOY_KEY DEPLOY_A*", "DEPLOY_KEY OTHER", "*"],
    ["services", "openai github-git", "openai anthropic", "github*"],
  ] as const)("takes a narrower %s and refuses a wider one", async (field, narrower, mixed, wider) => {
    const own = await sign({ scope: "secrets:read", ...held });
    const { body } = await narrow(own, { [field]: narrower });
    expect((await whoami(body.access_token)).body).toMatchObject({ ...held, [field]: narrower.split(" ") });
    for (const asked of [mixed, wider]) {
      const refused = await narrow(own, { [field]: asked });
      expect([refused.status, refused.body.error]).toEqual([400, asked === "repo:acme/*x repo:acme/*" ? "invalid_request" : "invalid_scope"]);
    }
    // A child is as narrow as it was made, for its own children too.
    expect((await narrow(body.access_token, { [field]: held[field].join(" ") })).body.error).toBe("invalid_scope");
    const again = await narrow(body.access_token, { [field]: narrower.split(" ")[0] });
    expect((await whoami(again.body.access_token)).body).toMatchObject({ [field]: [narrower.split(" ")[0]] });
  });

  it("limits what had no limit", async () => {
    const { body } = await narrow(await sign({ scope: "secrets:use secrets:read" }), { services: "openai", scope: "secrets:use" });
    expect((await whoami(body.access_token)).body).toMatchObject({ permissions: ["secrets:use"], services: ["openai"], secret_scopes: null });
  });

  it("gives no permission that is not held, and has the refusal on record", async () => {
    const token = { org: "refused-narrowing", sub: "small", jti: "tok_small", scope: "secrets:read" };
    const own = await sign(token);
    for (const scope of ["secrets:resolve", "secrets:read tokens:write", "secrets:use"]) {
      const { status, body } = await narrow(own, { scope });
      expect([status, body.error]).toEqual([400, "invalid_scope"]);
    }
    const { events } = (await call("GET /v1/audit", { token: { org: "refused-narrowing" } })).body;
    const denied = events.filter(({ action }: { action: string }) => action === "token.create");
    expect(denied).toHaveLength(3);
    expect(denied[0]).toMatchObject({ outcome: "denied", actor: "small", token_id: "tok_small" });
  });

  it("is on record with its parent, and in the list", async () => {
    const org = "recorded-narrowing";
    const own = await sign({ org, sub: "big", jti: "tok_big", scope: "secrets:read" });
    const { jti } = decodeJwt((await narrow(own)).body.access_token);
    const { events } = (await call("GET /v1/audit?action=token.create", { token: { org } })).body;
    expect(events).toEqual([expect.objectContaining({ outcome: "allowed", actor: "big", token_id: "tok_big", target: jti })]);
    const { tokens } = (await call("GET /v1/tokens", { token: { org } })).body;
    expect(tokens).toEqual([expect.objectContaining({ id: jti, label: "big", created_by: "big", permissions: ["secrets:read"] })]);
  });

  it.each([
    ["60", 60],
    ["1", 1],
    ["86400", 3600],
    [undefined, 3600],
  ])("that asks for %s seconds, of a parent of an hour, lives for %i", async (expires_in, lives) => {
    const iat = Math.floor(Date.now() / 1000);
    const { body } = await narrow(await sign({ iat, exp: iat + 3600, scope: "secrets:read" }), { expires_in });
    expect(lives - body.expires_in).toBeLessThanOrEqual(lives === 3600 ? 2 : 0);
    expect(decodeJwt(body.access_token).exp).toBeLessThanOrEqual(iat + 3600);
  });

  it("ends with its parent, and with that one's parent", async () => {
    const { id, token } = await mint({ permissions: ["secrets:read"] });
    const child = (await narrow(token)).body.access_token;
    const grandchild = (await narrow(child)).body.access_token;
    expect((await whoami(grandchild)).status).toBe(200);
    expect((await call(`DELETE /v1/tokens/${id}`)).status).toBe(204);
    for (const each of [token, child, grandchild]) {
      expect((await whoami(each)).status).toBe(401);
      expect((await narrow(each)).body).toEqual({ error: "invalid_request", error_description: "The subject token is not accepted." });
    }
  });

  it.each([
    ["its subject", { subject: "ends" }],
    ["its parent in no list", { token_id: "tok_ends" }],
  ])("ends when %s is revoked", async (_, revocation) => {
    const org = `ends-${Object.keys(revocation)[0]?.replace("_", "-")}`;
    const child = (await narrow(await sign({ org, sub: "ends", jti: "tok_ends", scope: "secrets:read" }))).body.access_token;
    expect((await whoami(child)).status).toBe(200);
    expect((await call("POST /v1/revocations", { token: { org }, json: revocation })).status).toBeLessThan(300);
    expect((await whoami(child)).status).toBe(401);
  });

  it.each([
    ["that has expired", () => sign({ exp: 1_000_000_000 })],
    ["of another deployment", () => sign({ iss: "https://other.example" })],
    ["that is not signed by the key", async () => `${(await sign()).slice(0, -8)}AAAAAAAA`],
    ["that is none", async () => "not.a.token"],
    ["that is empty of dots", async () => "x"],
  ])("refuses a token %s, and does not say why", async (_, make) => {
    const { status, body } = await narrow(await make());
    expect([status, body]).toEqual([400, { error: "invalid_request", error_description: "The subject token is not accepted." }]);
  });

  it.each<[string, Form, string]>([
    ["an audience", { audience: "acme/github" }, "invalid_request"],
    ["an empty list of scopes, which must not mean all", { secret_scopes: "" }, "invalid_request"],
    ["a list of services of spaces", { services: "  " }, "invalid_request"],
    ["an empty list of permissions", { scope: "" }, "invalid_request"],
    ["a permission that there is not", { scope: "secrets:read secrets:everything" }, "invalid_scope"],
    ["commas", { secret_scopes: "global,repo:acme/api" }, "invalid_request"],
    ["JSON", { secret_scopes: '["global"]' }, "invalid_request"],
    ["a * in the middle", { services: "a*b" }, "invalid_request"],
    ["no time", { expires_in: "0" }, "invalid_request"],
    ["a time that is no number", { expires_in: "1h" }, "invalid_request"],
    ["more than a year", { expires_in: "31536001" }, "invalid_request"],
  ])("refuses %s", async (_, form, error) => {
    const { status, body } = await narrow(await sign(), form);
    expect([status, body.error]).toEqual([400, error]);
  });

  it("refuses a list that is given twice", async () => {
    const form = new URLSearchParams({ ...FORM, audience: "", subject_token_type: OWN, subject_token: await sign() });
    form.append("services", "openai");
    form.append("services", "github");
    expect((await call("POST /oauth/token", { token: null, body: form })).body.error).toBe("invalid_request");
  });

  it("does not take limits for an identity token, which it would leave out of account", async () => {
    for (const field of ["secret_scopes", "secret_names", "services", "expires_in"])
      expect((await exchange("a.b.c", { [field]: "60" }, call)).body).toMatchObject({
        error: "invalid_request",
        error_description: expect.stringContaining(field),
      });
  });

  it("goes as deep as minting does", async () => {
    let token = await sign({ scope: "secrets:read" });
    for (let depth = 0; depth < 8; depth++) token = (await narrow(token)).body.access_token;
    expect((await narrow(token)).body).toMatchObject({ error: "invalid_request", error_description: expect.stringContaining("at most 8") });
  });

  it("makes several at once, each by itself", async () => {
    const own = await sign({ scope: "secrets:read" });
    const made = await Promise.all(Array.from({ length: 4 }, () => narrow(own)));
    expect(new Set(made.map(({ body }) => decodeJwt(body.access_token).jti)).size).toBe(4);
  });

  it("makes none of a parent that is revoked between what is read and what is written", async () => {
    const { id, token } = await mint({ permissions: ["secrets:read"] });
    const { caller, needs } = await verbNeeds(token);
    // What is read of the token says that it is in force; then it is revoked.
    await identifyCaller(needs, caller);
    expect((await call(`DELETE /v1/tokens/${id}`)).status).toBe(204);
    await expect(narrowToken(needs, caller, { label: "late" })).rejects.toMatchObject({ code: "unauthenticated" });
    expect((await call("GET /v1/tokens")).body.tokens.filter(({ label }: { label: string }) => label === "late")).toEqual([]);
  });

  it("is nothing that a caller without a token, or with another issuer's, can do", async () => {
    const { caller, needs } = await verbNeeds(await sign());
    const lineage = caller.lineage && { ...caller.lineage, issuer: "https://idp.example", reference: '["https://idp.example","x"]' };
    for (const other of [{ lineage: null, tokenId: null }, { lineage }])
      await expect(narrowToken(needs, createCaller({ ...caller, ...other }), { label: "x" })).rejects.toMatchObject({ code: "forbidden" });
  });
});

/** What the verb is called with for a token. */
async function verbNeeds(token: string) {
  const config = await loadConfig(env);
  const needs = needsFrom(env, config, new Date(), { address: "https://keyhole.test", defer: () => undefined });
  const facts = await verifyToken(needs, token);
  return { needs, caller: createCaller({ ...facts, requestId: `req_${crypto.randomUUID()}`, ip: null, userAgent: null }) };
}
