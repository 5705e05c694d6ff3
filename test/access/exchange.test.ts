import { env } from "cloudflare:workers";
import { decodeJwt } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { put } from "../support/call.ts";
import { callInsecure as call, exchange, FORM, githubClaims, githubTrust, REFUSED } from "../support/exchange.ts";
import { type Issuer, startIssuer } from "../support/issuer.ts";

let issuer: Issuer;

beforeAll(async () => {
  issuer = await startIssuer("RS256");
  expect((await call("PUT /v1/trusts/github", { json: githubTrust(issuer.url) })).status).toBe(201);
  await put("repo:acme/api", "DEPLOY_KEY", "of-api");
  await put("repo:acme/web", "DEPLOY_KEY", "of-web");
  await put("global", "WIDE", "of-all");
});

const identity = (claims: object = {}) => issuer.sign({ ...githubClaims(issuer.url), ...claims });

async function exchanged(claims: object = {}, form = {}) {
  const reply = await exchange(await identity(claims), form);
  expect(reply.status).toBe(200);
  return reply.body.access_token as string;
}

describe("a good identity token", () => {
  it("is exchanged as RFC 8693 says, for fifteen minutes", async () => {
    const reply = await exchange(await identity());
    expect(reply.status).toBe(200);
    expect(reply.headers.get("Cache-Control")).toBe("no-store");
    expect(reply.body).toEqual({
      access_token: expect.any(String),
      issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
      token_type: "Bearer",
      expires_in: 900,
      scope: "secrets:read secrets:resolve",
    });
    const claims = decodeJwt(reply.body.access_token);
    expect(claims).toMatchObject({ org: "acme", sub: "trust:github:repo:acme/api:ref:refs/heads/main", secret_scopes: ["repo:acme/api"] });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(900);
  });

  it.each(["ES256", "EdDSA", "PS256"])("may be signed with %s", async (alg) => {
    const other = await startIssuer(alg);
    await call(`PUT /v1/trusts/${alg}`, { json: githubTrust(other.url) });
    const reply = await exchange(await other.sign(githubClaims(other.url)), { audience: `acme/${alg}` });
    expect(reply.status).toBe(200);
  });

  it("gives a token with the trust's lease_seconds", async () => {
    await call("PUT /v1/trusts/polling", { json: { ...githubTrust(issuer.url), lease_seconds: 45 } });
    expect(decodeJwt(await exchanged({}, { audience: "acme/polling" }))).toMatchObject({ lease_seconds: 45 });
    expect(decodeJwt(await exchanged())).not.toHaveProperty("lease_seconds");
  });

  it("gives a token that resolves what lies in its own repo's scope", async () => {
    const reply = await call("POST /v1/resolve", { token: await exchanged(), json: { names: ["DEPLOY_KEY"] } });
    expect(reply.body.secrets).toMatchObject({ DEPLOY_KEY: { value: "of-api", scope: "repo:acme/api" } });
  });

  it.each([
    ["another repo's scope", "POST /v1/resolve", { scopes: ["repo:acme/web"], names: ["DEPLOY_KEY"] }],
    ["a wider scope", "POST /v1/resolve", { scopes: ["global"], names: ["WIDE"] }],
    ["another verb", "PUT /v1/scopes/repo%3Aacme%2Fapi/secrets/DEPLOY_KEY", { value: "x" }],
    ["minting", "POST /v1/tokens", { label: "x", permissions: ["secrets:resolve"], secret_scopes: ["repo:acme/api"], expires_in: 60 }],
  ])("gives a token that is refused %s", async (_, request, json) => {
    expect((await call(request, { token: await exchanged(), json })).status).toBe(403);
  });

  it("gives each repository of the organization its own scope under one trust", async () => {
    const token = await exchanged({ repository: "acme/web", repository_id: 42 });
    const reply = await call("POST /v1/resolve", { token, json: { names: ["DEPLOY_KEY"] } });
    expect(reply.body.secrets.DEPLOY_KEY).toMatchObject({ value: "of-web", scope: "repo:acme/web" });
  });

  it("is recorded as token.exchange, with the workload as the actor", async () => {
    const id = decodeJwt(await exchanged()).jti ?? "";
    const event = await env.DB.prepare("SELECT org, actor, action, outcome, target FROM audit_events WHERE token_id = ?").bind(id).first();
    const actor = "trust:github:repo:acme/api:ref:refs/heads/main";
    expect(event).toEqual({ org: "acme", actor, action: "token.exchange", outcome: "allowed", target: "github" });
  });

  it("may name the audience among others, and be thirty seconds off the clock", async () => {
    const now = Math.floor(Date.now() / 1000);
    expect((await exchange(await identity({ aud: ["other", "keyhole"] }))).status).toBe(200);
    expect((await exchange(await identity({ nbf: now + 20 }))).status).toBe(200);
    expect((await exchange(await identity({ exp: now - 20 }))).status).toBe(200);
  });
});

const past = () => Math.floor(Date.now() / 1000) - 60;

describe("refuses, all in the same words, an identity token", () => {
  it.each<[string, () => Record<string, unknown>]>([
    ["that is expired", () => ({ exp: past() })],
    ["that is not valid yet", () => ({ nbf: past() + 120 })],
    ["for another audience", () => ({ aud: "other" })],
    ["for an audience that only begins alike", () => ({ aud: "keyhole2" })],
    ["for an empty list of audiences", () => ({ aud: [] })],
    ["of another issuer", () => ({ iss: "https://token.actions.githubusercontent.com" })],
    ["of an issuer that differs by a slash", () => ({ iss: `${issuer.url}/` })],
    ["of an issuer in upper case", () => ({ iss: issuer.url.replace("http", "HTTP") })],
    ["of another owner", () => ({ repository_owner: "evil" })],
    ["of an owner that only begins alike", () => ({ repository_owner: "acme-evil" })],
    ["of an owner in another case", () => ({ repository_owner: "Acme" })],
    ["of an owner that is a list", () => ({ repository_owner: ["acme"] })],
    ["of an owner that is an object", () => ({ repository_owner: { toString: "acme" } })],
    ["of another branch", () => ({ ref: "refs/heads/feature" })],
    ["of another event", () => ({ event_name: "pull_request" })],
    ["of another repository's number", () => ({ repository_id: 43 })],
    ["of another workflow", () => ({ job_workflow_ref: "evil/api/.github/workflows/deploy.yml@refs/heads/main" })],
    ["whose repository is empty", () => ({ repository: "" })],
    ["whose times are texts", () => ({ exp: "9999999999" })],
    ["whose subject is a number", () => ({ sub: 7 })],
    ...["iss", "aud", "exp", "iat", "sub", "repository", "repository_owner", "repository_id", "ref", "event_name", "job_workflow_ref"].map(
      (claim): [string, () => Record<string, unknown>] => [`without ${claim}`, () => ({ [claim]: undefined })],
    ),
    ...["repository", "repository_owner", "ref", "sub", "iss", "aud", "exp", "iat", "nbf"].map((claim): [string, () => Record<string, unknown>] => [
      `whose ${claim} is null`,
      () => ({ [claim]: null }),
    ]),
  ])("%s", async (_, claims) => {
    const reply = await exchange(await identity(claims()));
    expect(reply.status).toBe(400);
    expect(reply.body).toEqual(REFUSED);
    expect(reply.headers.get("Content-Type")).toMatch(/^application\/json/);
  });

  it.each([
    ["under a trust that there is not", "acme/nope"],
    ["under another organization's name for the trust", "globex/github"],
  ])("%s", async (_, audience) => {
    expect(await exchange(await identity(), { audience })).toMatchObject({ status: 400, body: REFUSED });
  });

  it("of organization A used with organization B's trust in the same issuer", async () => {
    const ofGlobex = { ...githubTrust(issuer.url), claims: { repository_owner: "globex" } };
    await call("PUT /v1/trusts/github", { token: { org: "globex" }, json: ofGlobex });
    expect(await exchange(await identity(), { audience: "globex/github" })).toMatchObject({ status: 400, body: REFUSED });
    await call("DELETE /v1/trusts/github", { token: { org: "globex" } });
  });

  it("and records nothing of it: the whole world has identity tokens of a public issuer", async () => {
    const count = () => env.DB.prepare("SELECT COUNT(*) AS n FROM audit_events").first("n");
    const before = await count();
    await exchange(await identity({ repository_owner: "evil" }));
    expect(await count()).toBe(before);
  });
});

describe("scope", () => {
  it("narrows the permissions", async () => {
    const reply = await exchange(await identity(), { scope: "secrets:read" });
    expect(reply.body.scope).toBe("secrets:read");
    const resolve = await call("POST /v1/resolve", { token: reply.body.access_token, json: {} });
    expect(resolve.status).toBe(403);
  });

  it("may use the older name of a permission", async () => {
    expect((await exchange(await identity(), { scope: "config_vars:resolve" })).body.scope).toBe("secrets:resolve");
  });

  it.each(["secrets:write", "secrets:resolve secrets:write", "nonsense", " "])("is refused when the trust does not give %j", async (scope) => {
    const reply = await exchange(await identity(), { scope });
    expect(reply.status).toBe(400);
    expect(reply.body.error).toBe("invalid_scope");
  });

  it("that asks for too much is a denied event", async () => {
    const reply = await exchange(await identity(), { scope: "keys:write" });
    const id = reply.headers.get("X-Request-Id");
    const event = await env.DB.prepare("SELECT action, outcome, token_id FROM audit_events WHERE request_id = ?").bind(id).first();
    expect(event).toEqual({ action: "token.exchange", outcome: "denied", token_id: null });
  });

  it("says nothing to a workload that is not let in", async () => {
    expect((await exchange(await identity({ ref: "x" }), { scope: "secrets:write" })).body).toEqual(REFUSED);
  });
});

describe("the form", () => {
  it.each(["grant_type", "subject_token", "subject_token_type", "audience"])("needs %s, once", async (parameter) => {
    const token = await identity();
    for (const value of [undefined, ""]) {
      expect(await exchange(token, { [parameter]: value })).toMatchObject({ status: 400, body: { error: "invalid_request" } });
    }
    const body = new URLSearchParams({ ...FORM, subject_token: token });
    body.append(parameter, body.get(parameter) ?? "");
    expect(await call("POST /oauth/token", { token: null, body })).toMatchObject({ status: 400, body: { error: "invalid_request" } });
  });

  it.each([
    ["grant_type", "client_credentials", "unsupported_grant_type"],
    ["subject_token_type", "urn:ietf:params:oauth:token-type:saml2", "invalid_request"],
    ["requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token", "invalid_request"],
    ["audience", "acme", "invalid_request"],
    ["audience", "acme/github/x", "invalid_request"],
    ["audience", "acme/git hub", "invalid_request"],
    ["audience", "../github", "invalid_request"],
  ])("refuses %s=%s with %s", async (parameter, value, error) => {
    const reply = await exchange(await identity(), { [parameter]: value });
    expect(reply).toMatchObject({ status: 400, body: { error, error_description: expect.any(String) } });
  });

  it("treats an optional parameter without a value as left out, and ignores unknown ones", async () => {
    expect((await exchange(await identity(), { scope: "", requested_token_type: "", resource: "x", unknown: "x" })).status).toBe(200);
  });

  it.each([
    ["application/json", () => JSON.stringify(FORM)],
    ["text/plain", () => new URLSearchParams(FORM).toString()],
    ["application/x-www-form-urlencoded;x", () => new URLSearchParams(FORM).toString()],
    ["application/x-www-form-urlencodedx", () => new URLSearchParams(FORM).toString()],
    ["multipart/form-data; boundary=x", () => '--x\r\nContent-Disposition: form-data; name="grant_type"\r\n\r\nx\r\n--x--\r\n'],
    ["multipart/form-data", () => "nonsense"],
    ["", () => "grant_type=x"],
  ])("is refused with 415 as %j", async (type, body) => {
    const reply = await call("POST /oauth/token", { token: null, body: body(), headers: { "Content-Type": type } });
    expect(reply).toMatchObject({ status: 415, body: { error: "invalid_request" } });
  });

  it("may name a charset", async () => {
    const body = new URLSearchParams({ ...FORM, subject_token: await identity() }).toString();
    const reply = await call("POST /oauth/token", { token: null, body, headers: { "Content-Type": "Application/X-WWW-Form-Urlencoded; charset=UTF-8" } });
    expect(reply.status).toBe(200);
  });

  it("is refused with 413 when it is too large, as an OAuth error", async () => {
    expect(await exchange("x".repeat(70_000))).toMatchObject({ status: 413, body: { error: "invalid_request" } });
  });
});
