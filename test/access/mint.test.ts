import { env } from "cloudflare:workers";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { describe, expect, it } from "vitest";
import { PERMISSIONS } from "../../src/contract/permission.ts";
import { at, call, put, resolve } from "../support/call.ts";
import { mint, requestToken } from "../support/mint.ts";

const NARROW = { permissions: ["secrets:resolve"], secret_scopes: ["repo:acme/api"], secret_names: ["DEPLOY_*"], services: ["openai"] };

describe("a minted token", () => {
  it("is shown once, with what it may do", async () => {
    const reply = await requestToken({ label: "ci-payments", ...NARROW, expires_in: 600 });
    expect(reply.status).toBe(201);
    const { token, created_at, expires_at, ...rest } = reply.body;
    expect(rest).toEqual({
      id: expect.stringMatching(/^tok_[0-9a-f]{32}$/),
      label: "ci-payments",
      ...NARROW,
      created_by: "tester",
      lease_seconds: 0,
      revoked_at: null,
    });
    expect(Date.parse(expires_at) - Date.parse(created_at)).toBe(600_000);
    expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  });

  it("is an EdDSA JWT of the type at+jwt with the claims of the contract (RFC 9068)", async () => {
    const { id, token } = await mint({ label: "ci-payments", ...NARROW, permissions: ["config_vars:resolve", "secrets:read"], expires_in: 600 });
    expect(decodeProtectedHeader(token)).toEqual({ alg: "EdDSA", typ: "at+jwt", kid: expect.any(String) });
    const { iat = 0, exp = 0, scope, ...claims } = decodeJwt<{ scope: string }>(token);
    expect(claims).toEqual({
      iss: "keyhole",
      aud: "keyhole",
      sub: "token:ci-payments",
      org: "acme",
      jti: id,
      anc: [expect.stringMatching(/^tok_/)],
      secret_scopes: ["repo:acme/api"],
      secret_names: ["DEPLOY_*"],
      services: ["openai"],
    });
    expect(exp - iat).toBe(600);
    expect(new Set(scope.split(" "))).toEqual(new Set(["secrets:read", "secrets:resolve"]));
  });

  it("without limits carries none", async () => {
    const { token } = await mint();
    expect(Object.keys(decodeJwt(token))).not.toEqual(expect.arrayContaining(["secret_scopes"]));
    expect((await call("GET /v1/whoami", { token })).body).toMatchObject({ secret_scopes: null, secret_names: null });
  });

  it("asks for the lease that it was minted with, which its children do not inherit", async () => {
    const { id, token } = await mint({ permissions: ["tokens:write", "secrets:read"], lease_seconds: 300 });
    expect(decodeJwt(token)).toMatchObject({ lease_seconds: 300 });
    expect((await call("GET /v1/tokens")).body.tokens).toContainEqual(expect.objectContaining({ id, lease_seconds: 300 }));
    expect(decodeJwt((await mint({}, { token })).token)).not.toHaveProperty("lease_seconds");
    for (const lease_seconds of [-1, 301, 1.5, "60", null])
      expect(await requestToken({ lease_seconds })).toMatchObject({ status: 400, body: { errors: [{ pointer: "/lease_seconds" }] } });
  });

  it("does what it may, and nothing else", async () => {
    await put("repo:acme/api", "DEPLOY_KEY", "v");
    await put("repo:acme/api", "OTHER", "v");
    const { token } = await mint(NARROW);
    expect((await resolve({ scopes: ["repo:acme/api"], names: ["DEPLOY_KEY"] }, { token })).body.secrets.DEPLOY_KEY.value).toBe("v");
    expect((await resolve({ scopes: ["repo:acme/api"], names: ["OTHER"] }, { token })).status).toBe(403);
    expect((await resolve({ scopes: ["repo:acme/web"], names: ["DEPLOY_KEY"] }, { token })).status).toBe(403);
    expect((await call(`GET ${at("repo:acme/api", "DEPLOY_KEY")}`, { token })).status).toBe(403);
    expect((await requestToken(NARROW, { token })).status).toBe(403);
  });

  it("with limits over 50 characters works like any other", async () => {
    const path = `acme-corporation/platform/services/${"payment-gateway-".repeat(3)}x`;
    await put(`repo:${path}`, "DEPLOY_KEY", "deep");
    const { token } = await mint({ ...NARROW, permissions: ["secrets:resolve", "secrets:read", "tokens:write"], secret_scopes: [`repo:${path}`, `${path}/*`] });
    expect((await resolve({ names: ["DEPLOY_KEY"], scopes: [`repo:${path}`] }, { token })).body.secrets.DEPLOY_KEY.value).toBe("deep");
    expect((await call("GET /v1/secrets", { token })).body.secrets).toHaveLength(1);
    expect((await call("GET /v1/tokens", { token })).status).toBe(200);
  });

  it("is stored nowhere: neither the token nor its signature", async () => {
    const { id, token } = await mint({ label: "stored-nowhere" });
    const [, payload = "", signature = ""] = token.split(".");
    const tables = await env.DB.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'").all<{ name: string }>();
    expect(tables.results.length).toBeGreaterThan(5);
    let dump = "";
    for (const { name } of tables.results) dump += JSON.stringify((await env.DB.prepare(`SELECT * FROM "${name}"`).all()).results);
    expect(dump).toContain(id);
    for (const secret of [token, payload, signature]) expect(dump).not.toContain(secret);
    expect(JSON.stringify(await env.KV.list())).not.toContain(signature);
  });

  it("is recorded as token.create, with its id", async () => {
    const { id } = await mint();
    const event = await env.DB.prepare("SELECT actor, action, outcome FROM audit_events WHERE target = ?").bind(id).first();
    expect(event).toEqual({ actor: "tester", action: "token.create", outcome: "allowed" });
  });
});

describe("the request", () => {
  it.each<[string, object, string]>([
    ["no label", { label: undefined }, "/label"],
    ["an empty label", { label: "" }, "/label"],
    ["a label that is too long", { label: "x".repeat(129) }, "/label"],
    ["a label with a line break", { label: "a\nb" }, "/label"],
    ["no permissions", { permissions: [] }, "/permissions"],
    ["an unknown permission", { permissions: ["secrets:read", "admin"] }, "/permissions/1"],
    ["permissions in one text", { permissions: "secrets:read secrets:write" }, "/permissions"],
    ["no lifetime", { expires_in: undefined }, "/expires_in"],
    ["a lifetime under a minute", { expires_in: 59 }, "/expires_in"],
    ["a lifetime over a year", { expires_in: 31_536_001 }, "/expires_in"],
    ["a lifetime in parts of a second", { expires_in: 60.5 }, "/expires_in"],
    ["a lifetime as a text", { expires_in: "3600" }, "/expires_in"],
    ["an empty list of scopes, which could be taken for no limit", { secret_scopes: [] }, "/secret_scopes"],
    ["an empty list of names", { secret_names: [] }, "/secret_names"],
    ["null for a limit", { secret_scopes: null }, "/secret_scopes"],
    ["a * in the middle", { secret_scopes: ["repo:*/api"] }, "/secret_scopes/0"],
    ["two *", { secret_names: ["A**"] }, "/secret_names/0"],
    ["an empty pattern", { secret_names: [""] }, "/secret_names/0"],
    ["too many patterns", { secret_names: Array.from({ length: 65 }, (_, n) => `N${n}`) }, "/secret_names"],
    ["an organization", { org: "globex" }, "/org"],
    ["a subject", { sub: "admin" }, "/sub"],
  ])("with %s is refused", async (_, fields, pointer) => {
    const reply = await requestToken(fields);
    expect(reply).toMatchObject({ status: 400, body: { code: "invalid-request" } });
    expect(reply.body.errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
  });

  it.each([60, 31_536_000])("may ask for %i seconds", async (expires_in) => {
    expect((await requestToken({ expires_in })).status).toBe(201);
  });

  it("whose limits would make a token too long to be taken is refused, and leaves no row", async () => {
    const secret_scopes = Array.from({ length: 64 }, (_, n) => `repo:${n}/${"x".repeat(150)}`);
    expect((await requestToken({ label: "too-long", secret_scopes })).status).toBe(400);
    expect(await env.DB.prepare("SELECT COUNT(*) AS n FROM tokens WHERE label = 'too-long'").first("n")).toBe(0);
  });
});

describe("never more than the maker holds:", () => {
  it.each(PERMISSIONS.filter((permission) => permission !== "tokens:write"))("not %s, which it lacks", async (permission) => {
    const scope = PERMISSIONS.filter((held) => held !== permission).join(" ");
    expect((await requestToken({ permissions: [permission] }, { token: { scope } })).status).toBe(403);
    expect((await requestToken({ permissions: [...PERMISSIONS] }, { token: { scope } })).status).toBe(403);
    expect((await requestToken({ permissions: scope.split(" ") }, { token: { scope } })).status).toBe(201);
  });

  it("nothing at all without tokens:write", async () => {
    const scope = PERMISSIONS.filter((held) => held !== "tokens:write").join(" ");
    const reply = await requestToken({}, { token: { scope } });
    expect(reply.status).toBe(403);
    expect(reply.headers.get("WWW-Authenticate")).toBe('Bearer error="insufficient_scope", scope="tokens:write"');
  });

  it("not the older name of a permission that it lacks", async () => {
    expect((await requestToken({ permissions: ["config_vars:resolve"] }, { token: { scope: "tokens:write" } })).status).toBe(403);
  });

  it.each<[string[], string[] | undefined, number]>([
    [["repo:acme/*"], ["repo:acme/api"], 201],
    [["repo:acme/*"], ["repo:acme/api/*", "repo:acme/web"], 201],
    [["repo:acme/*"], ["repo:acme/*"], 201],
    [["repo:acme/*"], ["repo:acme*"], 403],
    [["repo:acme/*"], ["repo:acme"], 403],
    [["repo:acme/*"], ["repo:acm*"], 403],
    [["repo:acme/*"], ["repo:acme/api", "global"], 403],
    [["repo:acme/*"], ["*"], 403],
    [["repo:acme/*"], undefined, 403],
    [["repo:acme/api"], ["repo:acme/api*"], 403],
    [["repo:acme/api"], ["repo:acme/API"], 403],
    [["*"], undefined, 403],
    [["*"], ["*"], 201],
    [[], ["global"], 403],
  ])("with the limits %j it mints %j: %i", async (held, wanted, status) => {
    for (const limit of ["secret_scopes", "secret_names", "services"]) {
      expect((await requestToken({ [limit]: wanted }, { token: { [limit]: held } })).status).toBe(status);
    }
  });

  it("not the limits of the one list for the other", async () => {
    const token = { secret_scopes: ["global"] };
    expect((await requestToken({ secret_names: ["global"] }, { token })).status).toBe(403);
  });

  it("not through a chain of tokens", async () => {
    const permissions = ["secrets:resolve", "tokens:write"];
    const first = await mint({ permissions, secret_scopes: ["repo:acme/*"] });
    const second = await mint({ permissions, secret_scopes: ["repo:acme/api"] }, { token: first.token });
    for (const secret_scopes of [["repo:acme/*"], ["repo:acme/web"], undefined]) {
      expect((await requestToken({ permissions, secret_scopes }, { token: second.token })).status).toBe(403);
    }
    expect((await requestToken({ permissions: ["secrets:read"], secret_scopes: ["repo:acme/api"] }, { token: second.token })).status).toBe(403);
  });

  it("and the attempt is a denied event", async () => {
    const reply = await requestToken({}, { token: { scope: "tokens:write", sub: "climber" } });
    expect(reply.status).toBe(403);
    const event = await env.DB.prepare("SELECT action, outcome, target FROM audit_events WHERE actor = 'climber'").first();
    expect(event).toEqual({ action: "token.create", outcome: "denied", target: null });
  });
});
