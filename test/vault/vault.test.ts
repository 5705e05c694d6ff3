import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { MAX_NESTING, NESTED_TOO_DEEP } from "../../src/contract/json-nesting.ts";
import { MOUNT_NAMES, NATIVE_NAMES } from "../../src/contract/org-name.ts";
import { nativeFront } from "../../src/worker/http/native/native-front.ts";
import { vaultFront } from "../../src/worker/http/vault/vault-front.ts";
import { isVaultPath, namedSegments, vaultPath } from "../../src/worker/http/vault/vault-path.ts";
import { BAD_TOKENS } from "../security/bad-tokens.ts";
import { call, put, type Reply, resolve } from "../support/call.ts";
import { callWith } from "../support/call-with.ts";
import { callInsecure, githubClaims, githubTrust } from "../support/exchange.ts";
import { startIssuer } from "../support/issuer.ts";
import { putExpired } from "../support/put-expired.ts";
import { seedOrg } from "../support/seed-org.ts";
import { sign, type TokenClaims } from "../support/sign.ts";

let made = 0;
/** An organization of its own for each test. */
const newOrg = () => `vault-${made++}`;

interface Sent {
  readonly token?: TokenClaims | string | null;
  readonly json?: unknown;
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

/** Makes a request as a client of Vault does: its token in a header of its own, and no Content-Type. */
async function ask(request: string, { token = {}, json, body, headers = {} }: Sent = {}): Promise<Reply> {
  const bearer = typeof token === "string" || token === null ? token : await sign(token);
  const sent = json === undefined ? body : JSON.stringify(json);
  return call(request, {
    token: null,
    ...(sent !== undefined && { body: new TextEncoder().encode(sent) }),
    headers: { ...(bearer !== null && { "X-Vault-Token": bearer }), ...headers },
  });
}

const errors = ({ status, body }: Reply) => [status, body.errors];
const denied = async (org: string) =>
  (await env.DB.prepare("SELECT action FROM audit_events WHERE org = ? AND outcome = 'denied' ORDER BY seq").bind(org).all<{ action: string }>()).results.map(
    ({ action }) => action,
  );

describe("paths", () => {
  it("none of the native front's is this one's", () => {
    const paths = nativeFront([], []).routes.map(({ path }) => path.replaceAll(/\{\w+\}/g, "x"));
    expect(paths.filter(isVaultPath)).toEqual([]);
    // Whatever stands for a parameter, a mount's name among them.
    const odd = nativeFront([], []).routes.flatMap(({ path }) => MOUNT_NAMES.map((name) => path.replaceAll(/\{\w+\}/g, name)));
    expect(odd.filter(isVaultPath)).toEqual([]);
    expect(NATIVE_NAMES.filter((name) => isVaultPath(`/v1/${name}/secret/x`))).toEqual([]);
  });

  it("all of this front's are, also behind an organization", () => {
    const paths = vaultFront().routes.map(({ path }) => path.replaceAll(/\{\w+\}/g, "x"));
    expect(paths.filter((path) => !isVaultPath(path))).toEqual([]);
    expect(paths.filter((path) => !isVaultPath(path.replace("/v1/", "/v1/acme/")))).toEqual([]);
  });

  it.each([
    ["team/pay/db", 400],
    ["Team/pay", 400],
    ["GLOBAL", 400],
    ["builtin", 400],
    ["global/x", 400],
    ["repo", 400],
    ["namespace", 400],
    ["a//b", 400],
    ["a/%2Fb", 400],
    ["a/%zz", 400],
    ["a/%ff", 400],
    ["global", 404],
    ["team/x", 404],
    ["repo/team/x", 404],
    ["a/b", 404],
    ["a/b/", 404],
  ])("secret/data/%s is %i", async (path, status) => {
    const reply = await ask(`GET /v1/secret/data/${path}`);
    expect(reply.status).toBe(status);
    expect(reply.body.errors.length > 0).toBe(status === 400);
  });

  it("what an address parser elsewhere resolves is refused here: a test cannot send it", () => {
    for (const path of ["a/%2e%2e/b", "a/../b", "./a"])
      expect(() => namedSegments(vaultPath(`https://keyhole.test/v1/secret/data/${path}`), 2)).toThrow(/'\.\.'/);
  });

  it("a repository is the bare path, and `repo/` says the same", async () => {
    const token = { org: newOrg() };
    await ask("POST /v1/secret/data/myapp/config", { token, json: { data: { a: "1" } } });
    expect((await resolve({ scopes: ["repo:myapp/config"] }, { token })).body.secrets.a.value).toBe("1");
    expect((await ask("GET /v1/secret/data/repo/myapp/config/", { token })).body.data.data).toEqual({ a: "1" });
  });

  it.each(["GET /v1/secret/nothing/x", "GET /v1/secret/data", "POST /v1/sys/seal", "GET /v1/identity/x", "GET /v1/cubbyhole/x"])(
    "%s is nothing that there is",
    async (request) => {
      const reply = await ask(request);
      expect([reply.status, reply.headers.get("Content-Type")]).toEqual([404, "application/json"]);
    },
  );

  it("a method that a path does not take is 405 with those that it does", async () => {
    const reply = await ask("DELETE /v1/env/data/x");
    expect([reply.status, reply.headers.get("Allow"), reply.body.errors.length]).toEqual([405, "GET", 1]);
    expect((await ask("HEAD /v1/secret/data/x")).status).toBe(405);
  });
});

describe("who asks", () => {
  it("a token is in either header, or the same one in both", async () => {
    const token = await sign();
    const bearer = { Authorization: `Bearer ${token}` };
    for (const headers of [{ "X-Vault-Token": token }, bearer, { "X-Vault-Token": token, ...bearer }])
      expect((await call("GET /v1/auth/token/lookup-self", { token: null, headers })).body.data.id).toBe(token);
  });

  it("two different tokens are 400", async () => {
    const [one, other] = [await sign({ jti: "tok_1" }), await sign({ jti: "tok_2" })];
    const reply = await call("GET /v1/auth/token/lookup-self", { token: other, headers: { "X-Vault-Token": one } });
    expect(reply.status).toBe(400);
    expect(reply.text).not.toContain(one);
  });

  it("none is 400, and a bad one 403 that says nothing else", async () => {
    expect(errors(await ask("GET /v1/secret/data/x", { token: null }))).toEqual([400, ["missing client token"]]);
    for (const token of ["x", "a.b.c", await sign({ exp: 1 }), await sign({ aud: "other" })])
      expect(errors(await ask("GET /v1/secret/data/x", { token }))).toEqual([403, ["permission denied"]]);
  });

  it("native routes do not read X-Vault-Token", async () => {
    expect((await call("GET /v1/whoami", { token: null, headers: { "X-Vault-Token": await sign() } })).status).toBe(401);
  });

  it.each([
    ["", "", 404],
    ["acme", "", 404],
    ["acme/", "/acme", 404],
    ["other", "", 403],
    ["", "/other", 403],
    ["acme/child", "", 403],
  ])("the namespace %j and the path before the mount %j: %i", async (namespace, before, status) => {
    const reply = await ask(`GET /v1${before}/secret/data/nothing-here`, { headers: { "X-Vault-Namespace": namespace, "X-Vault-Request": "true" } });
    expect(reply.status).toBe(status);
  });

  it("what would have to be wrapped is refused everywhere", async () => {
    for (const request of ["GET /v1/secret/data/x", "GET /v1/sys/health", "POST /v1/auth/jwt/login"])
      expect((await ask(request, { headers: { "X-Vault-Wrap-TTL": "60s" } })).status).toBe(400);
  });

  it("turned off, it is not there", async () => {
    const off = callWith({ VAULT_FRONT: "off" });
    const reply = await off("GET /v1/sys/health", { token: {} });
    expect([reply.status, reply.body.code]).toEqual([404, "route-not-found"]);
    expect((await callWith({ VAULT_FRONT: "perhaps" })("GET /v1/sys/health")).status).toBe(503);
  });
});

describe("what a client wants to know first", () => {
  it("sys/health, sys/seal-status and sys/leader need no token", async () => {
    const health = await ask("GET /v1/sys/health?standbyok=true&perfstandbyok=true&sealedcode=200", { token: null });
    expect(health.body).toMatchObject({ initialized: true, sealed: false, standby: false, version: expect.stringMatching(/^\d+\.\d+\.\d+$/) });
    expect((await ask("HEAD /v1/sys/health", { token: null })).status).toBe(200);
    expect((await ask("GET /v1/sys/health?activecode=204", { token: null })).status).toBe(204);
    expect((await ask("GET /v1/sys/health?activecode=x", { token: null })).status).toBe(400);
    expect((await ask("GET /v1/sys/seal-status", { token: null })).body).toMatchObject({
      sealed: false,
      t: 1,
      n: 1,
      progress: 0,
      version: health.body.version,
    });
    expect((await ask("GET /v1/sys/leader", { token: null })).body).toEqual({ ha_enabled: false });
  });

  it("every mount is of the second version", async () => {
    for (const path of ["secret", "secret/a/b", "kv/x", "env/"])
      expect((await ask(`GET /v1/sys/internal/ui/mounts/${path}`)).body.data).toMatchObject({ type: "kv", options: { version: "2" } });
    expect((await ask("GET /v1/sys/internal/ui/mounts/pki/x")).status).toBe(403);
    const { body } = await ask("GET /v1/sys/mounts");
    expect(Object.keys(body.data)).toEqual(["secret/", "kv/", "env/"]);
    expect(body["secret/"]).toEqual(body.data["secret/"]);
    expect(Object.keys((await ask("GET /v1/sys/internal/ui/mounts")).body.data.secret)).toEqual(["secret/", "kv/", "env/"]);
  });

  it("capabilities follow from the grant", async () => {
    const token = { scope: "secrets:resolve secrets:write", secret_scopes: ["repo:a/*", "global"], secret_names: ["K*"] };
    const paths = [
      "secret/data/a/b",
      "secret/metadata/a/b",
      "secret/data/b",
      "kv/data/a/b/KEY",
      "kv/data/a/b/OTHER",
      "kv/data/KEY",
      "env/data/a/b",
      "secret/data/team/x/y",
      "pki/issue",
      "secret/delete/a/b",
      "kv/subkeys/a/b/KEY",
    ];
    const { body } = await ask("POST /v1/sys/capabilities-self", { token, json: { paths } });
    expect((await ask("POST /v1/sys/capabilities-self", { token, json: { paths: paths.join(", "), path: null } })).body.data).toEqual(body.data);
    const write = ["create", "update", "patch", "delete"];
    expect(body.data).toEqual({
      ...{ "secret/data/a/b": ["read", ...write], "secret/metadata/a/b": write, "secret/data/b": ["deny"] },
      ...{ "kv/data/a/b/KEY": ["read", ...write], "kv/data/a/b/OTHER": ["deny"], "kv/data/KEY": ["read", ...write] },
      ...{
        "env/data/a/b": ["read"],
        "secret/data/team/x/y": ["deny"],
        "pki/issue": ["deny"],
        "secret/delete/a/b": ["create", "update"],
        "kv/subkeys/a/b/KEY": ["deny"],
        capabilities: ["read", ...write],
      },
    });
    expect(body.capabilities).toEqual(body.data.capabilities);
  });
});

describe("tokens", () => {
  it("lookup-self shows the token as a batch token", async () => {
    const token = await sign({ sub: "ci", scope: "secrets:resolve" });
    expect((await ask("GET /v1/auth/token/lookup-self", { token })).body.data).toMatchObject({
      ...{ id: token, type: "batch", renewable: false, orphan: true, num_uses: 0, accessor: "", entity_id: "", explicit_max_ttl: 0 },
      ...{ policies: ["secrets:resolve"], display_name: "ci", meta: { org: "acme" }, ttl: expect.any(Number), expire_time: expect.stringMatching(/Z$/) },
    });
  });

  it("lookup shows the token itself, by its id, too, and no other one", async () => {
    const token = await sign({ org: "vault-lookup", jti: "tok_lookup" });
    const other = await sign({ org: "vault-lookup", jti: "tok_other" });
    const lookup = (path: string, json?: object) => ask(json ? `POST /v1/auth/token/${path}` : `GET /v1/auth/token/${path}`, { token, json });
    for (const json of [undefined, {}, { token }, { token: "" }, { token: null }])
      expect((await lookup("lookup", json)).body.data).toMatchObject({ id: token, type: "batch" });
    expect((await lookup("lookup-accessor", { accessor: "tok_lookup" })).body.data).toMatchObject({ id: "", accessor: "", meta: { org: "vault-lookup" } });
    const refused = [
      await lookup("lookup", { token: other }),
      await lookup("lookup", { token: "x" }),
      await lookup("lookup-accessor", { accessor: "tok_other" }),
    ];
    for (const reply of refused) {
      expect([reply.status, reply.body.errors[0]]).toEqual([403, "permission denied"]);
      expect(reply.text).not.toContain(other);
    }
    expect(new Set(refused.map(({ text }) => text)).size).toBe(1);
    expect(await denied("vault-lookup")).toEqual(["token.read", "token.read", "token.read"]);
    expect(errors(await lookup("lookup-accessor", {}))).toEqual([400, [expect.stringContaining("missing accessor")]]);
    expect((await lookup("lookup", { token: 1 })).status).toBe(400);
  });

  it("renew-self is refused in Vault's words", async () => {
    expect(errors(await ask("POST /v1/auth/token/renew-self"))).toEqual([400, ["lease is not renewable"]]);
  });

  it("revoke-self ends the token and what it made, without any permission, and is on record", async () => {
    const org = newOrg();
    const token = await sign({ org, scope: "secrets:read", jti: "tok_own" });
    const child = (await ask("PUT /v1/auth/token/create", { token, json: { ttl: "20m", display_name: "terraform", meta: { unknown: "field" } } })).body.auth;
    expect(child).toMatchObject({ token_type: "batch", renewable: false, lease_duration: expect.any(Number), policies: ["secrets:read"] });
    expect(child.lease_duration).toBeLessThanOrEqual(1200);
    expect((await ask("GET /v1/auth/token/lookup-self", { token: child.client_token })).status).toBe(200);
    expect((await ask("PUT /v1/auth/token/revoke-self", { token })).status).toBe(204);
    for (const ended of [token, child.client_token])
      expect(errors(await ask("GET /v1/auth/token/lookup-self", { token: ended }))).toEqual([403, ["permission denied"]]);
    const { results } = await env.DB.prepare("SELECT actor, target FROM audit_events WHERE org = ? AND action = 'token.revoke'").bind(org).all();
    expect(results).toHaveLength(1);
  });

  it("a child has no more than its parent", async () => {
    const token = await sign({ org: newOrg(), scope: "secrets:read", jti: "tok_parent" });
    expect((await ask("POST /v1/auth/token/create", { token, json: { policies: ["secrets:write"] } })).status).toBe(403);
    expect((await ask("POST /v1/auth/token/create", { token, json: { policies: ["root"] } })).status).toBe(400);
    expect((await ask("POST /v1/auth/token/create", { token, json: { policies: ["default"], ttl: "x" } })).status).toBe(400);
  });

  it("an identity token is exchanged by a login whatever the method is called, and the token reads", async () => {
    const issuer = await startIssuer();
    await callInsecure("PUT /v1/trusts/github", { json: { ...githubTrust(issuer.url), expires_in: 60 } });
    const login = async (path: string, jwt: string) =>
      callInsecure(`POST ${path}`, { token: null, body: new TextEncoder().encode(JSON.stringify({ role: "acme/github", jwt })) });
    await put("repo:acme/api", "KEY", "v");
    for (const path of ["/v1/auth/jwt/login", "/v1/auth/kubernetes/login", "/v1/acme/auth/jwt/prod/login"]) {
      const { status, body } = await login(path, await issuer.sign(githubClaims(issuer.url)));
      expect([status, body.auth.lease_duration, body.auth.renewable, body.auth.token_type]).toEqual([200, 60, false, "batch"]);
      const read = await ask("GET /v1/secret/data/acme/api", { token: body.auth.client_token });
      expect([read.status, read.body.data.data]).toEqual([200, { KEY: "v" }]);
    }
    const refused = await login("/v1/auth/jwt/login", await issuer.sign({ ...githubClaims(issuer.url), repository_owner: "evil" }));
    expect(errors(refused)).toEqual([403, ["permission denied"]]);
  });

  it("what the method of a login is called is a path without odd parts", async () => {
    const login = async (path: string) => (await ask(`POST /v1/auth/${path}`, { token: null, json: { role: "acme/none", jwt: await sign() } })).status;
    expect([await login("a/b/c/login"), await login("a/b/login/"), await login("approle/a/login")]).toEqual([403, 403, 403]);
    for (const path of ["a/%2F/login", "a//login", "a/%zz/login", "%2F/login"]) expect([path, await login(path)]).toEqual([path, 400]);
    for (const path of ["a/b/login/user", "login", "a/b/c", "/login"]) expect([path, await login(path)]).toEqual([path, 404]);
  });

  it("logins that are refused count against the address", async () => {
    let left = 1;
    const limited = callWith({ FAILURE_LIMIT: { limit: async () => ({ success: left-- > 0 }) } });
    const headers = { "CF-Connecting-IP": "192.0.2.77" };
    const fail = (path: string, json: object) => limited(`POST ${path}`, { token: null, body: new TextEncoder().encode(JSON.stringify(json)), headers });
    expect((await fail("/v1/auth/jwt/login", { role: "acme/none", jwt: "a.b.c" })).status).toBe(403);
    for (const reply of [
      await fail("/v1/auth/jwt/login", { role: "acme/none", jwt: "a.b.c" }),
      await fail("/v1/auth/approle/login", { role_id: "x", secret_id: "a.b.c" }),
    ])
      expect([reply.status, reply.headers.get("Retry-After"), reply.body.errors]).toEqual([429, expect.stringMatching(/^\d+$/), [expect.any(String)]]);
  });

  it("approle takes a token's id and that token, and refuses all else alike", async () => {
    const token = await sign({ jti: "tok_role" });
    const login = (role_id: string, secret_id: string, headers = {}) =>
      ask("POST /v1/auth/approle/login", { token: null, json: { role_id, secret_id }, headers });
    expect((await login("tok_role", token)).body.auth).toMatchObject({ client_token: token, token_type: "batch", renewable: false, orphan: true, num_uses: 0 });
    for (const [id, secret, headers] of [
      ["tok_other", token],
      ["tok_role", "x"],
      ["tok_role", token, { "X-Vault-Namespace": "other" }],
    ] as const)
      expect(errors(await login(id, secret, headers))).toEqual([403, ["permission denied"]]);
  });

  it("a login does not tell organizations and trusts apart", async () => {
    for (const role of ["acme/nothing", "no-such-org/nothing"])
      expect(errors(await ask("POST /v1/auth/jwt/login", { token: null, json: { role, jwt: await sign() } }))).toEqual([403, ["permission denied"]]);
    for (const role of ["acme", "a/b/c", "/x", ""])
      expect((await ask("POST /v1/auth/kubernetes/login", { token: null, json: { role, jwt: "x" } })).status).toBe(400);
  });
});

describe("secret/: a scope as one object", () => {
  it("comes back as it was given: texts, numbers, objects, odd keys, and empty texts", async () => {
    const token = { org: newOrg() };
    const body =
      '{"data":{"n":1.0,"big":12345678901234567890,"o":{"a":[1e400,null]},"t":true,"e":"",".dockerconfigjson":"{}","2fa":"x","AWS_SECRET_ACCESS_KEY":"k"}}';
    expect((await ask("PUT /v1/secret/data/app", { token, body })).body.data).toMatchObject({ version: 1, deletion_time: "", destroyed: false });
    const { text, body: read } = await ask("GET /v1/secret/data/app", { token });
    for (const part of ['"n":1.0', '"big":12345678901234567890', '"o":{"a":[1e400,null]}', '"e":""', '".dockerconfigjson":"{}"', '"2fa":"x"'])
      expect(text).toContain(part);
    expect(read).toMatchObject({ lease_id: "", renewable: false, lease_duration: 0, wrap_info: null, warnings: null, auth: null, mount_type: "kv" });
    expect(read.request_id).toMatch(/^req_/);
  });

  it("POST replaces, PATCH merges, and both go by check-and-set", async () => {
    const token = { org: newOrg() };
    const write = (method: string, data: object, cas?: number) =>
      ask(`${method} /v1/secret/data/app`, { token, json: { data, ...(cas !== undefined && { options: { cas } }) } });
    expect((await write("POST", { a: "1", b: { x: 1, y: 2 } }, 0)).body.data.version).toBe(1);
    expect(errors(await write("POST", { a: "2" }, 0))).toEqual([400, ["check-and-set parameter did not match the current version"]]);
    expect((await write("PATCH", { a: null, b: { y: null, z: 3 } }, 1)).body.data.version).toBe(2);
    expect((await ask("GET /v1/secret/data/app", { token })).body.data.data).toEqual({ b: { x: 1, z: 3 } });
    expect((await write("POST", { c: "3" }, 2)).body.data.version).toBe(3);
    expect((await ask("GET /v1/secret/data/app?version=3", { token })).body.data.data).toEqual({ c: "3" });
    expect(errors(await ask("GET /v1/secret/data/app?version=1", { token }))[1]).toContain("an older version can be made current again; it cannot be read");
    expect((await ask("GET /v1/secret/data/app?version=0", { token })).status).toBe(200);
    expect((await ask("GET /v1/secret/data/app?version=9", { token })).status).toBe(404);
  });

  it("is deleted, brought back, described, listed and purged", async () => {
    const token = { org: newOrg() };
    await ask("POST /v1/secret/data/dir/app", { token, json: { data: { a: "1" } } });
    await ask("POST /v1/secret/data/top", { token, json: { data: { a: "1" } } });
    expect((await ask("POST /v1/secret/metadata/dir/app", { token, json: { custom_metadata: { "managed-by": "eso" } } })).status).toBe(204);
    expect((await ask("GET /v1/secret/metadata/dir/app", { token })).body.data).toMatchObject({
      current_version: 1,
      custom_metadata: { "managed-by": "eso" },
      versions: { 1: { destroyed: false } },
    });
    expect((await ask("DELETE /v1/secret/data/dir/app", { token })).status).toBe(204);
    expect((await ask("GET /v1/secret/data/dir/app", { token })).status).toBe(404);
    expect((await ask("POST /v1/secret/undelete/dir/app", { token, json: { versions: ["1"] } })).status).toBe(204);
    expect((await ask("GET /v1/secret/data/dir/app", { token })).body.data.data).toEqual({ a: "1" });
    expect((await ask("GET /v1/secret/metadata?list=true", { token })).body.data.keys).toEqual(["dir/", "top"]);
    expect((await ask("GET /v1/secret/metadata/?list=true&limit=1", { token })).body.data.keys).toEqual(["dir/"]);
    expect((await ask("GET /v1/secret/metadata/?list=true&after=dir/", { token })).body.data.keys).toEqual(["top"]);
    expect((await ask("GET /v1/secret/metadata/dir/?list=true", { token })).body.data.keys).toEqual(["app"]);
    expect(errors(await ask("GET /v1/secret/metadata/none/?list=true", { token }))).toEqual([404, []]);
    expect((await ask("DELETE /v1/secret/metadata/dir/app", { token })).status).toBe(204);
    expect(errors(await ask("GET /v1/secret/metadata/dir/app", { token }))).toEqual([404, []]);
  });

  it("what is deleted is 404 with when that was, for whoever would be given all of it, and 404 with nothing for everybody else", async () => {
    const org = newOrg();
    const custom = { owner: "team" };
    await ask("POST /v1/secret/data/app", { token: { org }, json: { data: { a: "1" } } });
    await ask("POST /v1/secret/metadata/app", { token: { org }, json: { custom_metadata: custom } });
    await ask("DELETE /v1/secret/data/app", { token: { org } });
    const metadata = { version: 2, destroyed: false, custom_metadata: custom, deletion_time: expect.stringMatching(/Z$/), created_time: expect.any(String) };
    for (const [path, scope, data] of [
      ["data/app", "secrets:resolve", { data: null, metadata }],
      ["data/app?version=2", "secrets:resolve", { data: null, metadata }],
      ["subkeys/app", "secrets:read", { subkeys: null, metadata }],
    ] as const) {
      const reply = await ask(`GET /v1/secret/${path}`, { token: { org, scope } });
      expect([path, reply.status, reply.body]).toEqual([path, 404, expect.objectContaining({ data, auth: null, warnings: null })]);
      // Whoever covers some names only is not told whether there are others.
      const limited = await ask(`GET /v1/secret/${path}`, { token: { org, scope, secret_names: ["a"] } });
      expect(errors(limited)).toEqual([404, []]);
      expect(errors(await ask(`GET /v1/secret/${path.replace("app", "never")}`, { token: { org, scope } }))).toEqual([404, []]);
      expect(errors(await ask(`GET /v1/secret/${path}`, { token: { org: newOrg(), scope } }))).toEqual([404, []]);
      expect((await ask(`GET /v1/secret/${path}`, { token: { org, scope, secret_scopes: ["repo:other"] } })).status).toBe(403);
    }
    expect(errors(await ask("GET /v1/secret/data/app?version=3", { token: { org } }))).toEqual([404, []]);
    // The last key of all was taken away, and not the object: that is a deletion here, too.
    await ask("POST /v1/secret/data/app", { token: { org }, json: { data: { a: "1" } } });
    await ask("PATCH /v1/secret/data/app", { token: { org }, json: { data: { a: null } } });
    expect((await ask("GET /v1/secret/data/app", { token: { org } })).body.data.metadata.version).toBe(4);
    await ask("DELETE /v1/secret/metadata/app", { token: { org } });
    expect(errors(await ask("GET /v1/secret/data/app", { token: { org } }))).toEqual([404, []]);
  });

  it("versions are deleted where the current one is among them, and of older ones nothing changes", async () => {
    const token = { org: newOrg() };
    const write = (a: string) => ask("POST /v1/secret/data/app", { token, json: { data: { a } } });
    const remove = async (versions: unknown, method = "POST") => (await ask(`${method} /v1/secret/delete/app`, { token, json: { versions } })).status;
    for (const value of ["1", "2", "3"]) await write(value);
    expect(await remove([1, 2, 99])).toBe(204);
    expect((await ask("GET /v1/secret/data/app", { token })).body.data.data).toEqual({ a: "3" });
    expect([await remove([]), await remove([0]), await remove([3], "DELETE")]).toEqual([400, 400, 405]);
    expect(await remove(["1", 3], "PUT")).toBe(204);
    expect((await ask("GET /v1/secret/data/app", { token })).status).toBe(404);
    // It is deleted already.
    expect(await remove([3])).toBe(204);
    await ask("POST /v1/secret/undelete/app", { token, json: { versions: [3] } });
    expect((await ask("GET /v1/secret/data/app", { token })).body.data).toMatchObject({ data: { a: "3" }, metadata: { version: 5 } });
    const limited = { ...token, secret_names: ["b"] };
    expect((await ask("POST /v1/secret/delete/app", { token: limited, json: { versions: [5] } })).status).toBe(403);
    expect(await remove([5])).toBe(204);
  });

  it("the present version is not shown as deleted because all that it did was to leave keys out", async () => {
    const token = { org: newOrg() };
    const deletionOfPresent = async () => {
      const { current_version: current, versions } = (await ask("GET /v1/secret/metadata/app", { token })).body.data;
      return [current, versions[current].deletion_time];
    };
    await ask("POST /v1/secret/data/app", { token, json: { data: { a: "1", b: "2", c: "3" } } });
    await ask("POST /v1/secret/data/app", { token, json: { data: { a: "1" } } });
    expect(await deletionOfPresent()).toEqual([2, ""]);
    await ask("DELETE /v1/secret/data/app", { token });
    expect(await deletionOfPresent()).toEqual([3, expect.stringMatching(/Z$/)]);
  });

  it("subkeys are the keys without what is in their values, as far as the grant covers them", async () => {
    const org = newOrg();
    await ask("POST /v1/secret/data/app", { token: { org }, json: { data: { A: "canary-value", o: { inner: "canary-value" }, "2fa": "canary-value" } } });
    const token = { org, scope: "secrets:read" };
    for (const query of ["", "?depth=1", "?depth=0", "?depth=", "?depth=9&version=1"]) {
      const { status, body, text } = await ask(`GET /v1/secret/subkeys/app${query}`, { token });
      expect([status, body.data.subkeys, body.data.metadata.version]).toEqual([200, { A: null, o: null, "2fa": null }, 1]);
      expect(text).not.toMatch(/canary-value|inner/);
    }
    const limited = await ask("GET /v1/secret/subkeys/app", { token: { ...token, secret_names: ["A"] } });
    expect([limited.body.data.subkeys, limited.body.warnings.length]).toEqual([{ A: null }, 1]);
    await ask("POST /v1/secret/data/app", { token: { org }, json: { data: { B: "1" } } });
    expect((await ask("GET /v1/secret/subkeys/app?version=1", { token })).status).toBe(403);
    expect(errors(await ask("GET /v1/secret/subkeys/app?version=3", { token }))).toEqual([404, []]);
    expect((await ask("GET /v1/secret/subkeys/app?depth=x", { token })).status).toBe(400);
  });

  it("a caller limited by name gets what it covers, and replaces nothing that it does not", async () => {
    const org = newOrg();
    await ask("POST /v1/secret/data/app", { token: { org }, json: { data: { A_1: "1", B_1: "2" } } });
    const token = { org, secret_names: ["A_*"] };
    const read = await ask("GET /v1/secret/data/app", { token });
    expect([read.body.data.data, read.body.warnings.length]).toEqual([{ A_1: "1" }, 1]);
    expect((await ask("POST /v1/secret/data/app", { token, json: { data: { A_1: "3" } } })).status).toBe(403);
    expect((await ask("PATCH /v1/secret/data/app", { token: { ...token, scope: "secrets:write" }, json: { data: { A_1: "3" } } })).status).toBe(200);
    expect((await ask("GET /v1/secret/data/app", { token: { org } })).body.data.data).toEqual({ A_1: "3", B_1: "2" });
  });
});

describe("kv/: one secret", () => {
  it("has its value under both names, keeps other members out, and has versions of its own", async () => {
    const token = { org: newOrg() };
    const written = await ask("POST /v1/kv/data/app/KEY", { token, json: { data: { key: "v", user: "x" }, options: { cas: 0 } } });
    expect([written.body.data.version, written.body.warnings.length]).toEqual([1, 1]);
    expect((await ask("GET /v1/kv/data/app/KEY", { token })).body.data).toMatchObject({ data: { value: "v", key: "v" }, metadata: { version: 1 } });
    expect((await ask("POST /v1/kv/data/app/KEY", { token, json: { data: { value: "w" }, options: { cas: 1 } } })).body.data.version).toBe(2);
    expect((await ask("POST /v1/kv/data/app/KEY", { token, json: { data: { value: "w" }, options: { cas: 1 } } })).status).toBe(400);
    expect((await ask("POST /v1/kv/data/app/KEY", { token, json: { data: { value: "a", key: "b" } } })).status).toBe(400);
    expect((await ask("POST /v1/kv/data/app/KEY", { token, json: { data: { other: "a" } } })).status).toBe(400);
    expect((await ask("POST /v1/kv/destroy/app/KEY", { token, json: { versions: "1" } })).status).toBe(204);
    expect((await ask("POST /v1/kv/metadata/app/KEY", { token, json: { custom_metadata: { team: "pay" } } })).status).toBe(204);
    expect((await ask("GET /v1/kv/metadata/app/KEY", { token })).body.data).toMatchObject({
      current_version: 2,
      custom_metadata: { team: "pay" },
      versions: { 1: { destroyed: true } },
    });
    for (const _ of [1, 2]) expect((await ask("DELETE /v1/kv/data/app/KEY", { token })).status).toBe(204);
    expect((await ask("POST /v1/kv/undelete/app/KEY", { token, json: { versions: ["2"] } })).status).toBe(204);
    expect((await ask("GET /v1/kv/data/app/KEY?version=2", { token })).body.data.data.value).toBe("w");
    expect((await ask("GET /v1/kv/metadata/app?list=true", { token })).body.data.keys).toEqual(["KEY"]);
    expect((await ask("GET /v1/kv/metadata?list=true", { token })).body.data.keys).toEqual(["app/"]);
    for (const _ of [1, 2]) expect((await ask("DELETE /v1/kv/metadata/app/KEY", { token })).status).toBe(204);
    expect((await ask("POST /v1/kv/data/app/AWS_SECRET_ACCESS_KEY", { token, json: { data: { value: "k" } } })).status).toBe(200);
  });

  it("check-and-set goes by the version that metadata shows, also once it is deleted, and 0 is none at all", async () => {
    const token = { org: newOrg() };
    const write = (value: string, cas: number) => ask("POST /v1/kv/data/app/KEY", { token, json: { data: { value }, options: { cas } } });
    const shown = async () => (await ask("GET /v1/kv/metadata/app/KEY", { token })).body.data.current_version;
    expect((await write("a", 1)).status).toBe(400);
    expect((await write("a", 0)).status).toBe(200);
    await ask("DELETE /v1/kv/data/app/KEY", { token });
    expect(await shown()).toBe(1);
    for (const cas of [0, 2]) expect(errors(await write("b", cas))).toEqual([400, ["check-and-set parameter did not match the current version"]]);
    expect((await write("b", 1)).body.data.version).toBe(2);
    expect(await shown()).toBe(2);
    await ask("DELETE /v1/kv/metadata/app/KEY", { token });
    expect((await write("c", 0)).body.data.version).toBe(1);
    // What cannot come back any more is not there, whether or not its row is.
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - 1_000 * 86_400_000 });
    await ask("POST /v1/kv/data/app/LONG_GONE", { token, json: { data: { value: "a" } } });
    expect((await ask("DELETE /v1/kv/data/app/LONG_GONE", { token })).status).toBe(204);
    vi.useRealTimers();
    expect((await ask("GET /v1/kv/metadata/app/LONG_GONE", { token })).status).toBe(404);
    const again = (cas: number) => ask("POST /v1/kv/data/app/LONG_GONE", { token, json: { data: { value: "b" }, options: { cas } } });
    expect([(await again(1)).status, (await again(0)).status]).toEqual([400, 200]);
    // The same of an object, whose version a deletion raises.
    await ask("DELETE /v1/secret/data/app", { token });
    const version = (await ask("GET /v1/secret/metadata/app", { token })).body.data.current_version;
    const replace = (cas: number) => ask("POST /v1/secret/data/app", { token, json: { data: { A: "1" }, options: { cas } } });
    for (const cas of [0, version - 1]) expect((await replace(cas)).status).toBe(400);
    expect((await replace(version)).status).toBe(200);
  });

  it("a list of more than 1,000 names goes on after the last of them", async () => {
    const token = { org: newOrg() };
    await seedOrg(token.org, 2004);
    const list = async (more: string) => (await ask(`GET /v1/kv/metadata/noise/big?list=true${more}`, { token })).body;
    const first = await list("");
    expect([first.data.keys.length, first.warnings.length]).toEqual([1000, 1]);
    const rest = await list(`&after=${first.data.keys.at(-1)}`);
    expect(rest).toMatchObject({ data: { keys: ["NOISE_0002000", "NOISE_0002002"] }, warnings: null });
    expect((await list(`&after=${first.data.keys.at(-1)}&limit=1`)).data.keys).toEqual(["NOISE_0002000"]);
    expect(errors(await ask("GET /v1/kv/metadata/noise/big?list=true&after=NOISE_0002002", { token }))).toEqual([404, []]);
  });

  it("a name alone is resolved over the token's own scopes, and written only with one exact scope", async () => {
    const org = newOrg();
    await put("global", "KEY", "wide", { token: { org } });
    const token = { org, secret_scopes: ["repo:app", "global"] };
    expect((await ask("GET /v1/kv/data/KEY", { token })).body.data.data.value).toBe("wide");
    expect((await ask("POST /v1/kv/data/KEY", { token, json: { data: { value: "x" } } })).status).toBe(400);
    expect((await ask("POST /v1/kv/data/KEY", { token: { org, secret_scopes: ["repo:app", "team:*"] }, json: { data: { value: "near" } } })).status).toBe(200);
    expect((await ask("GET /v1/kv/data/KEY", { token })).body.data.data.value).toBe("near");
    // With a scope it is exactly that one.
    expect(errors(await ask("GET /v1/kv/data/other/KEY", { token: { org } }))).toEqual([404, []]);
  });

  it("versions are destroyed all at once or not at all, and deleted where the current one is among them", async () => {
    const org = newOrg();
    const token = { org };
    for (const value of ["a", "b", "c", "d"]) await ask("POST /v1/kv/data/app/KEY", { token, json: { data: { value } } });
    const states = async () =>
      Object.values((await ask("GET /v1/kv/metadata/app/KEY", { token })).body.data.versions as Record<string, { destroyed: boolean }>).map(
        ({ destroyed }) => destroyed,
      );
    const send = async (operation: string, versions: unknown) => (await ask(`POST /v1/kv/${operation}/app/KEY`, { token, json: { versions } })).status;
    // One of them is the current one, and one was never there.
    expect([await send("destroy", [1, 2, 4]), await send("destroy", [1, 9])]).toEqual([400, 404]);
    expect(await states()).toEqual([false, false, false, false]);
    expect(await send("destroy", [1, "3", 1])).toBe(204);
    expect(await states()).toEqual([true, false, true, false]);
    const { results } = await env.DB.prepare("SELECT secrets FROM audit_events WHERE org = ? AND action = 'secret.destroy'")
      .bind(org)
      .all<{ secrets: string }>();
    expect(results.map(({ secrets }) => JSON.parse(secrets).map(({ version }: { version: number }) => version))).toEqual([[1, 3]]);
    // Again, and with one that is there still.
    expect(await send("destroy", "1,2")).toBe(204);
    expect(await states()).toEqual([true, true, true, false]);
    expect(await send("delete", [1, 2])).toBe(204);
    expect((await ask("GET /v1/kv/subkeys/app/KEY", { token: { org, scope: "secrets:read" } })).body.data.subkeys).toEqual({ value: null, key: null });
    expect(await send("delete", [4, 1])).toBe(204);
    const deleted = { version: 4, deletion_time: expect.stringMatching(/Z$/) };
    const read = await ask("GET /v1/kv/data/app/KEY", { token: { org, scope: "secrets:resolve" } });
    expect([read.status, read.body.data]).toEqual([404, { data: null, metadata: expect.objectContaining(deleted) }]);
    const keys = await ask("GET /v1/kv/subkeys/app/KEY", { token: { org, scope: "secrets:read" } });
    expect([keys.status, keys.body.data]).toEqual([404, { subkeys: null, metadata: expect.objectContaining(deleted) }]);
    for (const path of ["app/NEVER", "KEY", "app/KEY?version=9"]) expect(errors(await ask(`GET /v1/kv/data/${path}`, { token }))).toEqual([404, []]);
    expect(errors(await ask("GET /v1/kv/data/app/KEY", { token: { org: newOrg() } }))).toEqual([404, []]);
    expect((await ask("GET /v1/kv/data/app/KEY", { token: { org, secret_names: ["OTHER"] } })).status).toBe(403);
    expect([await send("delete", [4]), await send("undelete", [4])]).toEqual([204, 204]);
    expect((await ask("GET /v1/kv/data/app/KEY", { token })).body.data.data.value).toBe("d");
    await ask("DELETE /v1/kv/metadata/app/KEY", { token });
    expect(errors(await ask("GET /v1/kv/data/app/KEY", { token }))).toEqual([404, []]);
    expect(await send("delete", [4])).toBe(204);
  });
});

describe("env/: what a scope resolves to", () => {
  it("is by environment name, inherits, and has a version that changes when it does", async () => {
    const org = newOrg();
    const token = { org };
    await put("global", "db-password", "wide", { token });
    await put("global", "SHARED", "s", { token });
    await put("repo:app", "DB_PASSWORD", "near", { token });
    const version = async () => (await ask("GET /v1/env/data/app", { token })).body.data.metadata.version;
    expect((await ask("GET /v1/env/data/app", { token })).body.data.data).toEqual({ DB_PASSWORD: "near", SHARED: "s" });
    const before = await version();
    expect([await version(), Number.isSafeInteger(before), before > 0]).toEqual([before, true, true]);
    expect((await ask(`GET /v1/env/data/app?version=${before}`, { token })).status).toBe(200);
    await put("global", "SHARED", "t", { token });
    expect(await version()).not.toBe(before);
    expect((await ask("PUT /v1/env/data/app", { token, json: { data: {} } })).status).toBe(405);
    expect(errors(await ask("GET /v1/env/data/nothing", { token: { org: newOrg() } }))).toEqual([404, []]);
  });
});

describe("bodies", () => {
  it.each([
    ["two members of one name", '{"data":{"a":"1","a":"2"}}'],
    ["__proto__", '{"data":{"__proto__":"1"}}'],
    ["no JSON", "a=1"],
    ["no data", "{}"],
    ["a list", "[]"],
    ["what is nested too deeply", `{"data":{"a":${"[".repeat(5000)}${"]".repeat(5000)}}}`],
    ["a lone surrogate", '{"data":{"a":"\\ud800"}}'],
    ["two keys of one variable", '{"data":{"db-password":"1","DB_PASSWORD":"2"}}'],
  ])("%s is 400", async (_, body) => {
    const reply = await ask("POST /v1/secret/data/app", { token: { org: newOrg() }, body });
    expect([reply.status, reply.body.errors.length > 0]).toEqual([400, true]);
  });

  it("hold values that are nested so deep and no deeper", async () => {
    const token = { org: newOrg() };
    const nested = (n: number, ends: "[]" | "{}") => (ends === "[]" ? "[".repeat(n) + "]".repeat(n) : `${'{"a":'.repeat(n)}1${"}".repeat(n)}`);
    for (const [n, status] of [
      [MAX_NESTING, 200],
      [MAX_NESTING + 1, 400],
    ] as const)
      for (const [request, key, ends] of [
        ["POST /v1/secret/data/app", "A", "[]"],
        ["POST /v1/secret/data/app", "A", "{}"],
        ["PATCH /v1/secret/data/app", "A", "{}"],
        ["POST /v1/kv/data/app/B", "value", "[]"],
      ] as const) {
        const reply = await ask(request, { token, body: `{"data":{"${key}":${nested(n, ends)}}}` });
        expect([request, ends, n, reply.status]).toEqual([request, ends, n, status]);
        if (status === 400) expect(reply.body.errors).toEqual([NESTED_TOO_DEEP]);
      }
    // Text nests nothing.
    expect((await ask("POST /v1/secret/data/app", { token, json: { data: { A: { text: `"${"[{".repeat(400)}` } } } })).status).toBe(200);
  });

  it("is JSON whatever its Content-Type says", async () => {
    const token = { org: newOrg() };
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/merge-patch+json"])
      expect((await ask("POST /v1/secret/data/app", { token, json: { data: { a: "1" } }, headers: { "Content-Type": type } })).status).toBe(200);
    expect((await ask("POST /v1/secret/data/app", { token, body: `{"data":{"a":"${"x".repeat(1_100_000)}"}}` })).status).toBe(413);
  });

  it("says what it says in OpenBao: numbers as texts, a list that is empty for an object, nothing for 0", async () => {
    const token = { org: newOrg() };
    const write = async (options: unknown) => (await ask("POST /v1/secret/data/app", { token, json: { data: { a: "1" }, options } })).status;
    for (const cas of ["1", -1, 1.5, "x", "-1", "0x0", true, {}, [0]]) expect([cas, await write({ cas })]).toEqual([cas, 400]);
    expect([await write({ cas: "0" }), await write({ cas: 0 }), await write({ cas: "" }), await write({ cas: null })]).toEqual([200, 400, 400, 400]);
    for (const options of [{ cas: "1" }, {}, [], null]) expect([options, await write(options)]).toEqual([options, 200]);
    expect([await write([0]), await write("x")]).toEqual([400, 400]);
    for (const query of ["version=", "version=1", "version=-1", "version=0"])
      expect([query, (await ask(`GET /v1/secret/data/app?${query}`, { token })).status]).toEqual([query, 200]);
    for (const query of ["version=x", "version=-", "version=1&version=1"]) expect((await ask(`GET /v1/secret/data/app?${query}`, { token })).status).toBe(400);
    expect((await ask("GET /v1/secret/metadata/app?list=&limit=", { token })).body.data.current_version).toBe(1);
    expect((await ask("POST /v1/secret/metadata/app", { token, json: { custom_metadata: { n: 5, t: true, x: "y" } } })).status).toBe(204);
    expect((await ask("GET /v1/secret/metadata/app", { token })).body.data.custom_metadata).toEqual({ n: "5", t: "1", x: "y" });
    expect((await ask("POST /v1/secret/metadata/app", { token, json: { custom_metadata: [] } })).status).toBe(204);
    expect((await ask("GET /v1/secret/metadata/app", { token })).body.data.custom_metadata).toBeNull();
    expect((await ask("POST /v1/secret/metadata/app", { token, body: '{"custom_metadata":{"n":12345678901234567890,"v":1.0}}' })).status).toBe(204);
    expect((await ask("GET /v1/secret/metadata/app", { token })).body.data.custom_metadata).toEqual({ n: "12345678901234567890", v: "1.0" });
    expect((await ask("POST /v1/secret/undelete/app", { token, json: { versions: 1 } })).status).toBe(204);
  });

  it("names versions by digits alone, and at most 100", async () => {
    const token = { org: newOrg() };
    for (const value of ["a", "b"]) await ask("POST /v1/kv/data/app/KEY", { token, json: { data: { value } } });
    const many = Array.from({ length: 101 }, () => "1");
    for (const versions of ["0x1", ["0x1"], "1e0", "+1", "1.0", "0b1", "-1", "0", "", " ", "1,,1", [], null, [true], many, many.join()])
      for (const path of ["kv/destroy/app/KEY", "secret/destroy/app"])
        expect([path, versions, (await ask(`POST /v1/${path}`, { token, json: { versions } })).status]).toEqual([path, versions, 400]);
    expect((await ask("GET /v1/kv/metadata/app/KEY", { token })).body.data.versions["1"].destroyed).toBe(false);
    expect((await ask("POST /v1/kv/destroy/app/KEY", { token, json: { versions: " 1, 1" } })).status).toBe(204);
  });

  it("may be null, or white space, where nothing has to be in it", async () => {
    const token = { org: newOrg() };
    for (const body of ["null", " null\n", "", " \r\n\t"]) {
      expect([body, (await ask("POST /v1/auth/token/create", { token, body })).status]).toEqual([body, 200]);
      expect([body, (await ask("POST /v1/secret/metadata/app", { token, body })).status]).toEqual([body, 204]);
      for (const path of ["secret/data/app", "kv/data/app/KEY", "secret/delete/app"])
        expect([path, body, (await ask(`POST /v1/${path}`, { token, body })).status]).toEqual([path, body, 400]);
    }
  });
});

describe("what is refused", () => {
  const READS = ["GET /v1/secret/data/app", "GET /v1/kv/data/app/KEY", "GET /v1/env/data/app"];
  const LISTS = [
    "GET /v1/secret/subkeys/app",
    "GET /v1/kv/subkeys/app/KEY",
    "GET /v1/secret/metadata?list=true",
    "GET /v1/secret/metadata/app",
    "GET /v1/kv/metadata/app/KEY",
    "GET /v1/kv/metadata?list=true",
    "GET /v1/kv/metadata/app?list=true",
  ];
  const WRITES = [
    ...[
      "POST /v1/secret/data/app",
      "PATCH /v1/secret/data/app",
      "DELETE /v1/secret/data/app",
      "POST /v1/secret/metadata/app",
      "PATCH /v1/secret/metadata/app",
      "DELETE /v1/secret/metadata/app",
    ],
    ...[
      "POST /v1/secret/delete/app",
      "POST /v1/kv/delete/app/KEY",
      "POST /v1/secret/undelete/app",
      "POST /v1/secret/destroy/app",
      "POST /v1/kv/data/app/KEY",
      "DELETE /v1/kv/data/app/KEY",
      "POST /v1/kv/metadata/app/KEY",
    ],
    ...["DELETE /v1/kv/metadata/app/KEY", "POST /v1/kv/undelete/app/KEY", "POST /v1/kv/destroy/app/KEY"],
  ];
  const NEEDED = [...READS.map((r) => [r, "secrets:resolve"]), ...LISTS.map((r) => [r, "secrets:read"]), ...WRITES.map((r) => [r, "secrets:write"])] as [
    string,
    string,
  ][];
  const body = { data: { value: "canary-value" }, versions: [1], custom_metadata: { a: "b" } };
  const everything = "secrets:read secrets:write secrets:resolve";

  const callers = vaultFront().routes.filter(({ permission }) => permission !== null);
  it.each(callers.map(({ method, path }) => `${method.toUpperCase()} ${path}`))("%s takes no bad token, and says the same of each", async (route) => {
    const request = route.replace("{path}", "app/KEY");
    const sent = request.startsWith("GET") ? {} : { json: body };
    const before = await env.DB.prepare("SELECT COUNT(*) AS n FROM audit_events").first("n");
    for (const [reason, make] of Object.entries(BAD_TOKENS)) {
      const token = await make();
      const expected = token === null ? [400, ["missing client token"]] : [403, ["permission denied"]];
      expect([reason, ...errors(await ask(request, { token, ...sent }))]).toEqual([reason, ...expected]);
    }
    expect(await env.DB.prepare("SELECT COUNT(*) AS n FROM audit_events").first("n")).toBe(before);
  });

  it("each route for callers is among them, or is about the token itself", () => {
    const routed = vaultFront().routes.filter(({ permission }) => permission !== null && permission !== "any");
    const asked = new Set(NEEDED.map(([request]) => routeOf(request)));
    expect(routed.map(({ method, path }) => `${method.toUpperCase()} ${path}`).sort()).toEqual([...asked].sort());
  });

  it.each(NEEDED)("%s without %s is 403, says so, and is on record", async (request, permission) => {
    const org = newOrg();
    const sent = request.startsWith("GET") ? {} : { json: body };
    await ask("POST /v1/secret/data/app", { token: { org }, json: { data: { KEY: "canary-value" } } });
    const without = everything
      .split(" ")
      .filter((each) => each !== permission)
      .join(" ");
    const reply = await ask(request, { token: { org, scope: without }, ...sent });
    expect([reply.status, reply.body.errors[0], reply.body.errors[1]]).toEqual([403, "permission denied", `The token lacks the permission ${permission}.`]);
    expect(reply.text).not.toContain("canary-value");
    expect(await denied(org)).toHaveLength(1);
    if (request.includes("?list")) return;
    expect((await ask(request, { token: { org, scope: permission, secret_scopes: ["repo:other"] }, ...sent })).status).toBe(403);
    expect(await denied(org)).toHaveLength(2);
    // Another organization's secret is not there.
    const elsewhere = await ask(request, { token: { org: newOrg(), scope: permission }, ...sent });
    expect(elsewhere.text).not.toContain("canary-value");
    expect((await ask("GET /v1/secret/data/app", { token: { org } })).body.data.data).toEqual({ KEY: "canary-value" });
  });

  it.each(READS)("%s is on record as a resolve", async (request) => {
    const org = newOrg();
    await ask("POST /v1/secret/data/app", { token: { org }, json: { data: { KEY: "v" } } });
    expect((await ask(request, { token: { org, scope: "secrets:resolve" } })).status).toBe(200);
    const { results } = await env.DB.prepare("SELECT outcome FROM audit_events WHERE org = ? AND action = 'secret.resolve'").bind(org).all();
    expect(results).toEqual([{ outcome: "allowed" }]);
  });

  it("what had expired can be read after it was written, and a warning says that it has no expiry any more", async () => {
    const token = { org: newOrg() };
    for (const name of ["OLD", "ONE", "SAME"]) await putExpired("repo:app", name, "1", { token });
    const one = await ask("POST /v1/kv/data/app/ONE", { token, json: { data: { value: "2" } } });
    const same = await ask("POST /v1/kv/data/app/SAME", { token, json: { data: { value: "1" } } });
    expect([one, same].map(({ body }) => [body.data.version, body.warnings])).toEqual([
      [2, ["It had expired, and has no expiry any more."]],
      [1, ["It had expired, and has no expiry any more."]],
    ]);
    expect((await ask("GET /v1/kv/data/app/ONE", { token })).body.data.data.value).toBe("2");
    const old = await ask("POST /v1/secret/data/app", { token, json: { data: { OLD: "2", ONE: "2", SAME: "1" } } });
    expect(old.body.warnings).toEqual(['These had expired, and have no expiry any more: "OLD".']);
    expect((await ask("GET /v1/secret/data/app", { token })).body.data.data).toEqual({ OLD: "2", ONE: "2", SAME: "1" });
    expect((await ask("POST /v1/kv/data/app/ONE", { token, json: { data: { value: "3" } } })).body.warnings).toBeNull();
  });

  it("what is destroyed is not current, all of it or nothing, and the keys are named as they were written", async () => {
    const token = { org: newOrg() };
    await ask("POST /v1/secret/data/app", { token, json: { data: { A: "1", ".dockerconfigjson": "{}" } } });
    await ask("PATCH /v1/secret/data/app", { token, json: { data: { A: "2" } } });
    const refused = await ask("POST /v1/secret/destroy/app", { token, json: { versions: [1] } });
    expect(errors(refused)).toEqual([400, [expect.stringMatching(/^Nothing was destroyed: .* "\.dockerconfigjson" are current\./)]]);
    await ask("PATCH /v1/secret/data/app", { token, json: { data: { ".dockerconfigjson": "[]" } } });
    expect((await ask("POST /v1/secret/destroy/app", { token, json: { versions: [1] } })).status).toBe(204);
    expect((await ask("GET /v1/secret/metadata/app", { token })).body.data.versions["1"].destroyed).toBe(true);
  });

  it("a merge that cannot be made is on record: it says something of a value that the caller may not read", async () => {
    const org = newOrg();
    await ask("POST /v1/secret/data/app", { token: { org }, json: { data: { DOC: { a: "x".repeat(60_000) }, TEXT: "x" } } });
    const writer = { org, scope: "secrets:write" };
    const merge = (DOC: object) => ask("PATCH /v1/secret/data/app", { token: writer, json: { data: { DOC } } });
    expect((await merge({ b: "y".repeat(6_000) })).status).toBe(413);
    const { results } = await env.DB.prepare("SELECT action, secrets FROM audit_events WHERE org = ? AND outcome = 'denied'")
      .bind(org)
      .all<{ action: string; secrets: string }>();
    expect(results.map(({ action, secrets }) => [action, JSON.parse(secrets)])).toEqual([
      ["secret.update", [expect.objectContaining({ name: "DOC", scope: "repo:app" })]],
    ]);
    expect((await merge({ b: "y" })).status).toBe(200);
    // What says nothing of a value is no denial.
    expect((await ask("PATCH /v1/secret/data/app", { token: writer, json: { data: { TEXT: "y".repeat(70_000) } } })).status).toBe(413);
    expect(await denied(org)).toHaveLength(1);
  });

  it("messages name keys as they were written", async () => {
    const org = newOrg();
    const token = { org };
    await put("global", "_x.2fa", "v", { token, fields: { locked: true, variable: false } });
    expect(errors(await ask("POST /v1/secret/data/app", { token, json: { data: { "2fa": "x" } } }))).toEqual([
      400,
      [expect.stringMatching(/^Locked: 2fa \(in global\)/)],
    ]);
    const odd = await ask("POST /v1/secret/data/app", { token, json: { data: { ".dockerconfigjson": "{}", PATH: "p" } } });
    expect(odd.body.warnings).toEqual([expect.stringMatching(/: "\.dockerconfigjson", "PATH"\.$/)]);
    expect((await ask("GET /v1/env/data/app", { token })).status).toBe(404);
    await ask("PATCH /v1/secret/data/app", { token, json: { data: { OK: "1" } } });
    const { warnings } = (await ask("GET /v1/env/data/app", { token })).body;
    expect(warnings.join()).toContain(".dockerconfigjson becomes no environment variable");
    expect(warnings.join()).not.toContain("_x.");
  });

  it("to whoever may only write a message names no key that the request has not named", async () => {
    const org = newOrg();
    await ask("POST /v1/secret/data/app", { token: { org }, json: { data: { A: "1", CANARY_LOCKED: "2", CANARY: "3" } } });
    await putExpired("repo:app", "CANARY_OLD", "x", { token: { org } });
    await put("global", "CANARY_LOCKED", "v", { token: { org }, fields: { locked: true } });
    const asked = async (scope: string, request: string, json: object) => {
      const { status, body } = await ask(request, { token: { org, scope }, json });
      return [status, ...(body.errors ?? body.warnings ?? [])].join(" ");
    };
    const destroy = ["POST /v1/secret/destroy/app", { versions: [1] }] as const;
    const replace = ["POST /v1/secret/data/app", { data: { A: "1", CANARY: "3" } }] as const;
    for (const scope of ["secrets:write secrets:read", "secrets:write secrets:resolve"]) {
      expect(await asked(scope, ...destroy)).toMatch(/^400 .*"A", "CANARY", "CANARY_LOCKED"/);
      expect(await asked(scope, ...replace)).toMatch(/^200 .*"CANARY_OLD".*"CANARY_LOCKED"/);
    }
    expect(await asked("secrets:write", ...destroy)).toMatch(/^400 (?!.*CANARY).*3 keys/);
    expect(await asked("secrets:write", ...replace)).toMatch(/^200 (?!.*CANARY).*one key.*one key/);
  });

  it("an expired secret is not there, and a locked name says why", async () => {
    const org = newOrg();
    await putExpired("repo:app", "OLD", "canary-value", { token: { org } });
    for (const path of ["kv/data/app/OLD", "secret/data/app", "env/data/app"]) {
      const expired = await ask(`GET /v1/${path}`, { token: { org } });
      expect(expired.text, path).not.toContain("canary-value");
      expect([path, expired.status]).toEqual([path, 404]);
    }
    await put("global", "LOCKED", "v", { token: { org }, fields: { locked: true } });
    const reply = await ask("POST /v1/kv/data/app/LOCKED", { token: { org }, json: { data: { value: "x" } } });
    expect([reply.status, reply.body.errors[0]]).toEqual([400, expect.stringContaining("Locked: LOCKED")]);
    // To ask again is of no use where all that there is is locked.
    await put("repo:deep", "WIDE", "near", { token: { org } });
    await put("global", "WIDE", "canary-value", { token: { org }, fields: { locked: true } });
    const limited = { org, secret_scopes: ["repo:deep"] };
    for (const [path, token] of [
      ["secret/data/deep", { org }],
      ["env/data/deep", limited],
      ["kv/data/deep/WIDE", limited],
    ] as const)
      expect([path, errors(await ask(`GET /v1/${path}`, { token }))]).toEqual([path, [400, [expect.stringMatching(/Locked.* "?WIDE/)]]]);
  });

  it.each(["constructor", "toString", "__proto__", "hasOwnProperty"])("%s is a name as any other in a path", async (name) => {
    const token = await sign({ org: newOrg() });
    for (const path of [`x/${name}/data/z`, `${name}/data/z`, `secret/${name}/x`, `secret/data/${name}`, `${name}/secret/data/x`])
      expect([path, (await ask(`GET /v1/${path}`, { token })).status]).toEqual([path, expect.toSatisfy((status: number) => status >= 400 && status < 500)]);
    const { status, body } = await ask("POST /v1/sys/capabilities-self", { token, json: { paths: [`secret/${name}/x`, name] } });
    expect([status, body.capabilities]).toEqual([200, ["deny"]]);
  });

  it("a token that is to be used so often and no more is refused: none is", async () => {
    expect((await ask("POST /v1/auth/token/create", { token: { org: newOrg() }, json: { num_uses: 1 } })).status).toBe(400);
  });

  it("what is there and cannot be had now is 503, and not left out of what a scope resolves to", async () => {
    const org = newOrg();
    await ask("POST /v1/secret/data/app", { token: { org }, json: { data: { A: "1", B: "2" } } });
    const ofB = "secret_id = (SELECT id FROM secrets WHERE org = ? AND name = 'B')";
    await env.KV.delete((await env.DB.prepare(`SELECT kv_key FROM versions WHERE ${ofB}`).bind(org).first<string>("kv_key")) ?? "");
    await env.DB.prepare(`UPDATE versions SET ciphertext = NULL, kv_put_at = 1 WHERE ${ofB}`).bind(org).run();
    for (const path of ["secret/data/app", "env/data/app", "kv/data/app/B"])
      expect([path, (await ask(`GET /v1/${path}`, { token: { org } })).status]).toEqual([path, 503]);
  });

  it("what is said of an object is for nobody whose grant is limited to other names, and counts among the bytes", async () => {
    const org = newOrg();
    await ask("POST /v1/secret/data/app", { token: { org }, json: { data: { KEY: "v" } } });
    const before = (await call("GET /v1/usage", { token: { org } })).body.usage.bytes.used;
    await ask("POST /v1/secret/metadata/app", { token: { org }, json: { custom_metadata: { owner: "team" } } });
    expect((await call("GET /v1/usage", { token: { org } })).body.usage.bytes.used - before).toBe('{"owner":"team"}'.length);
    const limited = { org, secret_names: ["MINE"] };
    expect(errors(await ask("GET /v1/secret/metadata/app", { token: limited }))).toEqual([404, []]);
    await ask("DELETE /v1/secret/data/app", { token: { org } });
    for (const path of ["app", "nothing"])
      expect((await ask(`POST /v1/secret/metadata/${path}`, { token: limited, json: { custom_metadata: { owner: "me" } } })).status, path).toBe(403);
    await ask("DELETE /v1/secret/metadata/app", { token: { org } });
    expect((await call("GET /v1/usage", { token: { org } })).body.usage.bytes.used).toBe(0);
  });
});

/** The route of a request, as the API description writes it. */
function routeOf(request: string): string {
  const [method, path = ""] = request.split(/[ ?]/);
  return `${method} ${path.replace(/^(\/v1\/\w+\/\w+)\/.+$/, "$1/{path}")}`;
}
