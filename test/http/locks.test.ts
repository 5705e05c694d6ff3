import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { at, call, put, resolve } from "../support/call.ts";
import { eventsOf } from "../support/events-of.ts";
import { putExpired } from "../support/put-expired.ts";
import type { TokenClaims } from "../support/sign.ts";

const REPO = "repo:acme/api";
const platform = { org: "platform" };
let made = 0;
const newOrg = () => ({ org: `locks-${++made}` });
const set = (token: TokenClaims, scope: string, name: string, value: string, fields: object = {}) => put(scope, name, value, { token, fields });
const link = (token: TokenClaims, scope: string, parent: string) => call(`PUT /v1/scopes/${encodeURIComponent(scope)}`, { token, json: { parent } });
const win = async (token: TokenClaims, request: object) => {
  const { status, body } = await resolve({ names: ["KEY"], ...request }, { token });
  return status === 200 ? [body.secrets.KEY?.scope, body.secrets.KEY?.value] : [status, body.code];
};
const explain = async (token: TokenClaims, ...scopes: string[]) =>
  (await call(`GET /v1/explain/KEY?${scopes.map((scope) => `scope=${encodeURIComponent(scope)}`).join("&")}`, { token })).body;

describe("a locked secret", () => {
  it("wins over every narrower scope of the search, and the widest lock over the others", async () => {
    const token = newOrg();
    for (const scope of [REPO, "namespace:prod", "team:core", "global"]) await set(token, scope, "KEY", `from ${scope}`);
    const scopes = [REPO, "namespace:prod", "team:core"];
    expect(await win(token, { scopes })).toEqual([REPO, `from ${REPO}`]);
    await set(token, "namespace:prod", "KEY", "from namespace:prod", { locked: true });
    expect(await win(token, { scopes })).toEqual(["namespace:prod", "from namespace:prod"]);
    expect(await win(token, { scopes: [REPO] }), "a scope that is neither searched nor declared above").toEqual([REPO, `from ${REPO}`]);
    await set(token, "global", "KEY", "from global", { locked: true });
    expect(await win(token, { scopes })).toEqual(["global", "from global"]);
    const { body, headers } = await resolve({ scopes }, { token });
    expect(body.secrets.KEY.scope).toBe("global");
    const [event] = await eventsOf(token.org, headers.get("X-Request-Id"));
    expect(event?.secrets.map(({ scope }) => scope)).toEqual(["global"]);
    expect((await explain(token, ...scopes)).winner.scope).toBe("global");
    expect((await explain(token, ...scopes)).candidates.map(({ scope, locked }: never) => [scope, locked])).toEqual([
      [REPO, undefined],
      ["namespace:prod", true],
      ["team:core", undefined],
      ["global", true],
      ["builtin", undefined],
    ]);
    await call(`DELETE ${at("global", "KEY")}`, { token });
    expect(await win(token, { scopes }), "what is deleted locks nothing").toEqual(["namespace:prod", "from namespace:prod"]);
  });

  it("is looked up in declared parents, global and builtin, whatever the grant and inherit: then nothing takes its place", async () => {
    const token = newOrg();
    await set(token, REPO, "KEY", "narrow-value");
    await set(token, REPO, "OTHER", "other");
    await link(token, REPO, "namespace:prod");
    await link(token, "namespace:prod", "team:core");
    const narrow = { ...token, secret_scopes: [REPO] };
    for (const [scope, wide] of [
      ["team:core", token],
      ["global", token],
      ["global", platform],
    ] as const) {
      const label = wide === platform ? "builtin" : scope;
      await set(wide, scope, "KEY", "locked-value", { locked: true });
      for (const [as, request] of [
        [narrow, {}],
        [narrow, { allow_missing: true }],
        [token, { inherit: false }],
      ] as const) {
        const reply = await resolve({ scopes: [REPO], names: ["KEY", "OTHER"], ...request }, { token: as });
        expect([reply.status, reply.body.code, reply.body.locked]).toEqual([422, "name-locked", ["KEY"]]);
        expect(reply.body.detail).toContain(`KEY (in ${label})`);
        expect(reply.text).not.toContain("-value");
        expect((await eventsOf(token.org, reply.headers.get("X-Request-Id"))).map(({ outcome, secrets }) => [outcome, secrets])).toEqual([["allowed", []]]);
      }
      const all = await resolve({ scopes: [REPO] }, { token: narrow });
      expect([all.status, Object.keys(all.body.secrets), all.body.unavailable]).toEqual([200, ["OTHER"], [{ name: "KEY", reason: "name-locked" }]]);
      const [event, ...more] = await eventsOf(token.org, all.headers.get("X-Request-Id"));
      expect([event?.secrets.map(({ name }) => name), more]).toEqual([["OTHER"], []]);
      expect(await explain(narrow, REPO)).toMatchObject({ winner: null, locked_by: label, candidates: [{ scope: REPO, found: true }] });
      expect(await win(token, { scopes: [REPO] })).toEqual([label, "locked-value"]);
      expect((await call(`GET /v1/resolve/KEY?scope=${encodeURIComponent(REPO)}&format=raw`, { token: narrow })).status).toBe(422);
      await set(wide, scope, "KEY", "locked-value", { locked: false });
      await call(`DELETE ${at(scope, "KEY")}`, { token: wide });
    }
    expect(await win(narrow, { scopes: [REPO] })).toEqual([REPO, "narrow-value"]);
  });

  it("that is nowhere in the search is not found, and says nothing of itself", async () => {
    const token = newOrg();
    await set(token, "global", "KEY", "v", { locked: true });
    expect(await win({ ...token, secret_scopes: [REPO] }, { scopes: [REPO] })).toEqual([404, "secret-not-found"]);
    expect((await resolve({ scopes: [REPO] }, { token: { ...token, secret_scopes: [REPO] } })).body).toEqual({ secrets: {}, missing: [], searched: [REPO] });
  });

  it("that has expired is still not replaced", async () => {
    const token = newOrg();
    await set(token, REPO, "KEY", "narrow");
    await putExpired("global", "KEY", "wide", { token, fields: { locked: true } });
    expect(await win(token, { scopes: [REPO] })).toEqual([410, "secret-expired"]);
    expect((await resolve({ scopes: [REPO] }, { token })).body.expired).toEqual(["KEY"]);
  });

  it("has its variable, too, before a narrower name that becomes the same one", async () => {
    const token = newOrg();
    await set(token, REPO, "db-key", "narrow");
    await set(token, "global", "DB_KEY", "wide");
    const env = async () => (await call("POST /v1/resolve?format=env", { token, json: { scopes: [REPO] } })).body;
    expect(await env()).toEqual({ DB_KEY: "narrow" });
    await set(token, "global", "DB_KEY", "wide", { locked: true });
    expect(await env()).toEqual({ DB_KEY: "wide" });
  });
});

describe("setting a name that is locked above", () => {
  it("is 422 for every write of a value, and stores nothing; other changes and other scopes are free", async () => {
    const token = newOrg();
    const { body } = await set(token, REPO, "KEY", "1");
    await set(token, REPO, "KEY", "2");
    await link(token, REPO, "namespace:prod");
    await set(token, "namespace:prod", "KEY", "wide", { locked: true });
    const attempts = [
      set(token, REPO, "KEY", "3"),
      set(token, REPO, "KEY", "2"),
      call("POST /v1/secrets", { token: { ...token }, json: { scope: "repo:acme/api", name: "KEY", value: "3" } }),
      call(`PATCH /v1/secrets/${body.id}`, { token, json: { value: "3" } }),
      call(`POST /v1/secrets/${body.id}/rollback`, { token, json: { version: 1 } }),
      ...["", "?dry_run=true"].map((query) => call(`POST /v1/import${query}`, { token, json: { scope: REPO, secrets: { KEY: "3", FREE: "x" } } })),
    ];
    const replies = await Promise.all(attempts);
    expect(replies.map(({ status, body: { code } }) => [status, code])).toEqual(
      replies.map((_, n) => (n === 2 ? [409, "secret-exists"] : [422, "name-locked"])),
    );
    expect(replies[0]?.body).toMatchObject({ locked: ["KEY"], detail: expect.stringContaining("KEY (in namespace:prod)") });
    expect((await call(`GET ${at(REPO, "FREE")}`, { token })).status).toBe(404);
    expect((await call(`GET /v1/secrets/${body.id}`, { token })).body.version).toBe(2);
    expect((await call(`PATCH /v1/secrets/${body.id}`, { token, json: { description: "kept" } })).status).toBe(200);
    expect((await set(token, "namespace:prod", "KEY", "wider")).status, "the lock itself can be set").toBe(200);
    expect((await set(token, "team:core", "KEY", "x")).status, "a wider scope").toBe(201);
    expect((await set(token, "repo:acme/web", "KEY", "x")).status, "a repo that nobody has put under it").toBe(201);
    expect((await call(`DELETE ${at(REPO, "KEY")}`, { token })).status).toBe(204);
    expect((await call("POST /v1/secrets", { token, json: { scope: REPO, name: "KEY", value: "3" } })).body.code).toBe("name-locked");
    await set(token, "namespace:prod", "KEY", "wider", { locked: false });
    expect((await set(token, REPO, "KEY", "3")).status).toBe(201);
  });

  it("is 422 under global and builtin whatever is declared, and in the platform's own scopes", async () => {
    const token = newOrg();
    await set(platform, "global", "SHIPPED", "v", { locked: true });
    await set(token, "global", "OWN", "v", { locked: true });
    for (const [as, scope, name, where] of [
      [token, "global", "SHIPPED", "builtin"],
      [token, REPO, "SHIPPED", "builtin"],
      [token, REPO, "OWN", "global"],
      [platform, REPO, "SHIPPED", "global"],
    ] as const) {
      const { status, body } = await set(as, scope, name, "x");
      expect([status, body.code, body.detail.includes(`(in ${where})`)]).toEqual([422, "name-locked", true]);
    }
    expect((await set(platform, "global", "SHIPPED", "again")).status).toBe(200);
    await set(platform, "global", "SHIPPED", "again", { locked: false });
  });

  it("is 500 when the lock is one that somebody has made in D1", async () => {
    const token = newOrg();
    await set(token, "global", "KEY", "v");
    await env.DB.prepare("UPDATE secrets SET locked = 1 WHERE org = ?").bind(token.org).run();
    const { status, body } = await set(token, REPO, "KEY", "x");
    expect([status, body.code]).toEqual([500, "integrity-failed"]);
    await env.DB.prepare("UPDATE secrets SET locked = 0 WHERE org = ?").bind(token.org).run();
    expect((await set(token, REPO, "KEY", "x")).status).toBe(201);
  });
});

describe("a lock that somebody has made or bent in D1", () => {
  it("outside of what is searched refuses by name, and is listed without names; nothing else takes its place", async () => {
    const token = newOrg();
    await set(token, REPO, "KEY", "narrow-value");
    await set(token, "global", "KEY", "wide-value");
    await env.DB.prepare("UPDATE secrets SET locked = 1 WHERE org = ? AND scope = 'global'").bind(token.org).run();
    const narrow = { ...token, secret_scopes: [REPO] };
    const named = await resolve({ scopes: [REPO], names: ["KEY"] }, { token: narrow });
    expect([named.status, named.body.code]).toEqual([500, "integrity-failed"]);
    const all = await resolve({ scopes: [REPO] }, { token: narrow });
    expect([all.status, all.body.secrets, all.body.unavailable]).toEqual([200, {}, [{ name: "KEY", reason: "integrity-failed" }]]);
    expect(`${named.text}${all.text}`).not.toContain("-value");
  });

  it("does not lose its parents: a link that was bent refuses, also without inherit", async () => {
    const token = newOrg();
    await set(token, REPO, "KEY", "narrow-value");
    await link(token, REPO, "namespace:prod");
    await set(token, "namespace:prod", "KEY", "wide", { locked: true });
    await env.DB.prepare("UPDATE scopes SET parent = 'namespace:dev' WHERE org = ? AND scope = ?").bind(token.org, REPO).run();
    for (const request of [{}, { names: ["KEY"] }, { inherit: false }]) {
      const { status, body, text } = await resolve({ scopes: [REPO], ...request }, { token });
      expect([status, body.code]).toEqual([500, "integrity-failed"]);
      expect(text).not.toContain("narrow-value");
    }
  });
});

describe("max_lease_seconds", () => {
  it.each([0, 300, null])("may be %j", async (max_lease_seconds) => {
    expect((await set(newOrg(), "global", "KEY", "v", { max_lease_seconds })).body).toMatchObject({ max_lease_seconds, locked: false });
  });

  it.each([-1, 301, 1.5, "30", true])("may not be %j", async (max_lease_seconds) => {
    const { status, body } = await set(newOrg(), "global", "KEY", "v", { max_lease_seconds });
    expect([status, body.errors[0].pointer]).toEqual([400, "/max_lease_seconds"]);
  });

  it.each([null, "yes", 1])("and locked may not be %j", async (locked) => {
    expect((await set(newOrg(), "global", "KEY", "v", { locked })).status).toBe(400);
  });
});
