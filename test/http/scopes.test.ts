import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { at, type CallOptions, call, put, type Reply, resolve } from "../support/call.ts";
import { callWith } from "../support/call-with.ts";
import type { TokenClaims } from "../support/sign.ts";

const pathOf = (scope: string) => `/v1/scopes/${encodeURIComponent(scope)}`;
const link = (scope: string, parent: unknown, options: CallOptions = {}) => call(`PUT ${pathOf(scope)}`, { ...options, json: { parent } });
const unlink = (scope: string, options: CallOptions = {}) => call(`DELETE ${pathOf(scope)}`, options);
const empty = (scope: string, options: CallOptions = {}) => call(`DELETE ${pathOf(scope)}?secrets=true`, options);
const refused = ({ status, body }: Reply) => [status, body.code];
const searched = async (scope: string, token: TokenClaims, options: object = {}) =>
  (await resolve({ scopes: [scope], allow_missing: true, ...options }, { token })).body.searched;

async function listed(token: TokenClaims, query = "limit=200"): Promise<string[]> {
  const { body } = await call(`GET /v1/scopes?${query}`, { token });
  return body.scopes.map(({ scope, parent, secrets }: { scope: string; parent: string | null; secrets: number }) => `${scope} < ${parent}: ${secrets}`);
}

/** Links `names` into a chain, each under the next. */
async function chain(names: readonly string[], token: TokenClaims): Promise<number[]> {
  const replies = [];
  for (const [n, name] of names.slice(0, -1).entries()) replies.push(await link(`team:${name}`, `team:${names[n + 1]}`, { token }));
  return replies.map(({ status }) => status);
}

afterEach(() => vi.restoreAllMocks());

describe("a scope", () => {
  it("is put under a parent, moved to another, and taken from it", async () => {
    const token = { org: "tree" };
    expect((await link("repo:a/b", "namespace:prod", { token })).body).toEqual({
      scope: "repo:a/b",
      parent: "namespace:prod",
      secrets: 0,
      store: null,
      prefix: null,
    });
    expect((await call("GET /v1/audit?action=scope.put", { token })).body.events[0].target).toBe("repo:a/b under namespace:prod");
    expect(await searched("repo:a/b", token)).toEqual(["repo:a/b", "namespace:prod", "global", "builtin"]);
    await link("repo:a/b", "team:core", { token });
    expect(await searched("repo:a/b", token)).toEqual(["repo:a/b", "team:core", "global", "builtin"]);
    expect((await unlink("repo:a/b", { token })).status).toBe(204);
    expect(await searched("repo:a/b", token)).toEqual(["repo:a/b", "global", "builtin"]);
    expect(refused(await unlink("repo:a/b", { token }))).toEqual([404, "scope-not-found"]);
    expect(await listed(token)).toEqual([]);
  });

  it.each([
    ["repo:a", "repo:b"],
    ["repo:a", "agent:b"],
    ["agent:a", "namespace:b"],
    ["namespace:a", "team:b"],
    ["team:a", "global"],
    ["repo:a", "global"],
  ])("%s may be under %s", async (scope, parent) => {
    expect((await link(scope, parent, { token: { org: "kinds" } })).status).toBe(200);
  });

  it.each([
    ["team:a", "namespace:b"],
    ["namespace:a", "repo:b"],
    ["agent:a", "repo:b"],
    ["global", "global"],
    ["global", "team:a"],
  ])("%s may not be under %s", async (scope, parent) => {
    const reply = await link(scope, parent, { token: { org: "kinds" } });
    expect([400, 422]).toContain(reply.status);
  });

  it.each(["builtin", "team:", "galaxy", "", null, 1, undefined])("is not put under %j: 400", async (parent) => {
    expect((await link("team:a", parent)).body.errors[0].pointer).toBe("/parent");
  });

  it("cannot be above itself", async () => {
    const token = { org: "cycle" };
    expect(refused(await link("team:a", "team:a", { token }))).toEqual([422, "scope-cycle"]);
    expect(await chain(["a", "b", "c"], token)).toEqual([200, 200]);
    for (const parent of ["a", "b"]) expect(refused(await link("team:c", `team:${parent}`, { token }))).toEqual([422, "scope-cycle"]);
    expect(await listed(token)).toEqual(["team:a < team:b: 0", "team:b < team:c: 0"]);
  });

  it("cannot be put into a cycle by two at once", async () => {
    for (let n = 0; n < 5; n++) {
      const token = { org: `cycle-${n}` };
      const replies = await Promise.all([link("team:a", "team:b", { token }), link("team:b", "team:a", { token })]);
      expect(replies.map(({ status }) => status).sort()).toEqual([200, 422]);
    }
  });

  const nine = Array.from({ length: 9 }, (_, n) => `s${n}`);

  it("has at most eight above it, when the ninth is added at the top", async () => {
    const token = { org: "deep-top" };
    expect(await chain(nine, token)).toEqual(Array(8).fill(200));
    expect(await searched("team:s0", token)).toEqual([...nine.map((name) => `team:${name}`), "global", "builtin"]);
    expect(refused(await link("team:s8", "team:s9", { token }))).toEqual([422, "scope-cycle"]);
  });

  it("has at most eight above it, when the ninth is added at the bottom or in the middle", async () => {
    const token = { org: "deep-bottom" };
    expect(await chain(nine, token)).toEqual(Array(8).fill(200));
    expect(refused(await link("repo:x", "team:s0", { token }))).toEqual([422, "scope-cycle"]);
    expect((await link("repo:x", "team:s1", { token })).status).toBe(200);
    await chain(["t0", "t1", "t2", "t3", "t4"], token);
    expect((await link("team:t4", "team:s5", { token })).status).toBe(200);
    expect(refused(await link("team:t4", "team:s4", { token }))).toEqual([422, "scope-cycle"]);
  });
});

describe("the list of scopes", () => {
  it("has what is declared or in use, with its number of secrets, which follows every write", async () => {
    const token = { org: "counts" };
    await put("team:a", "ONE", "1", { token });
    await put("team:a", "ONE", "2", { token });
    await call("POST /v1/secrets", { token, json: { scope: "team:a", name: "TWO", value: "v" } });
    await call("POST /v1/import", { token, json: { scope: "repo:r", secrets: { A: "1", B: "2", C: "3" } } });
    await link("team:b", "global", { token });
    expect(await listed(token)).toEqual(["repo:r < null: 3", "team:a < null: 2", "team:b < global: 0"]);
    await call(`DELETE ${at("team:a", "ONE")}`, { token });
    await link("team:a", "global", { token });
    await call(`DELETE ${at("team:a", "TWO")}`, { token });
    await call("POST /v1/import", { token, json: { scope: "repo:r", secrets: { PATH: "refused", D: "4" } } });
    expect(await listed(token)).toEqual(["repo:r < null: 3", "team:a < global: 0", "team:b < global: 0"]);
    await Promise.all(["E", "E", "E", "F"].map((name, n) => put("team:b", name, `${n}`, { token })));
    expect((await listed(token))[2]).toBe("team:b < global: 2");
  });

  it.each([1, 2, 5])("gives every scope once in pages of %i, within the grant", async (limit) => {
    const token = { org: `pages-${limit}` };
    for (const name of ["a", "a-b", "a.b", "a/b", "ab", "b"]) await put(`repo:${name}`, "X", "v", { token });
    await put("team:t", "X", "v", { token });
    for (const [limits, expected] of [
      [undefined, ["repo:a", "repo:a-b", "repo:a.b", "repo:a/b", "repo:ab", "repo:b", "team:t"]],
      [
        ["repo:a*", "repo:a/*", "team:t"],
        ["repo:a", "repo:a-b", "repo:a.b", "repo:a/b", "repo:ab", "team:t"],
      ],
      [
        ["repo:b", "repo:a.*"],
        ["repo:a.b", "repo:b"],
      ],
      [[`repo:${"x".repeat(64)}/*`], []],
      [[], []],
    ] as const) {
      const seen: string[] = [];
      for (let cursor: string | null = ""; cursor !== null; ) {
        const options = { token: { ...token, ...(limits && { secret_scopes: [...limits] }) } };
        const { body }: Reply = await call(`GET /v1/scopes?limit=${limit}${cursor && `&cursor=${cursor}`}`, options);
        expect(body.scopes.length).toBeLessThanOrEqual(limit);
        seen.push(...body.scopes.map(({ scope }: { scope: string }) => scope));
        cursor = body.next_cursor;
      }
      expect(seen).toEqual(expected);
    }
  });

  it("shows nothing of another organization, and its links mean nothing there", async () => {
    await link("repo:theirs", "team:theirs", { token: { org: "theirs" } });
    await put("team:theirs", "X", "their-value", { token: { org: "theirs" } });
    expect(await listed({ org: "ours" })).toEqual([]);
    expect(await searched("repo:theirs", { org: "ours" })).toEqual(["repo:theirs", "global", "builtin"]);
    expect(refused(await unlink("repo:theirs", { token: { org: "ours" } }))).toEqual([404, "scope-not-found"]);
    expect(refused(await empty("team:theirs", { token: { org: "ours" } }))).toEqual([404, "scope-not-found"]);
    expect(await listed({ org: "theirs" })).toHaveLength(2);
  });
});

describe("a resolve through declared parents", async () => {
  const token = { org: "walk" };
  await link("repo:r", "repo:r-base", { token });
  await link("repo:r-base", "agent:bot", { token });
  await link("agent:bot", "namespace:prod", { token });
  await link("namespace:prod", "namespace:all", { token });
  await link("namespace:all", "team:core", { token });
  const all = ["repo:r", "repo:r-base", "agent:bot", "namespace:prod", "namespace:all", "team:core", "global"];
  for (const [n, scope] of all.entries())
    for (const name of all.slice(0, n + 1)) await put(scope, `IN_${name.replaceAll(/\W/g, "_")}`, `from ${scope}`, { token });

  it("finds each name in the nearest scope, in one read of D1 and one of KV", async () => {
    const batch = vi.spyOn(env.DB, "batch");
    const { body } = await resolve({ scopes: ["repo:r"] }, { token });
    expect(batch).toHaveBeenCalledTimes(1);
    expect(body.searched).toEqual([...all, "builtin"]);
    for (const scope of all) expect(body.secrets[`IN_${scope.replaceAll(/\W/g, "_")}`].scope).toBe(scope);
  });

  it("is explained in one read", async () => {
    const batch = vi.spyOn(env.DB, "batch");
    const { body } = await call("GET /v1/explain/IN_team_core?scope=repo:r", { token });
    expect(batch).toHaveBeenCalledTimes(1);
    expect(body.winner.scope).toBe("team:core");
    expect(body.candidates.map(({ scope, found }: { scope: string; found: boolean }) => `${scope} ${found}`)).toEqual(
      [...all, "builtin"].map((scope) => `${scope} ${["team:core", "global"].includes(scope)}`),
    );
  });

  it("takes the nearer of two parents of one kind first, whatever their names", async () => {
    const org = { org: "order" };
    await link("repo:x", "namespace:z-near", { token: org });
    await link("namespace:z-near", "namespace:a-far", { token: org });
    expect(await searched("repo:x", org)).toEqual(["repo:x", "namespace:z-near", "namespace:a-far", "global", "builtin"]);
    const both = await resolve({ scopes: ["repo:x", "namespace:own"], allow_missing: true }, { token: org });
    expect(both.body.searched).toEqual(["repo:x", "namespace:own", "namespace:z-near", "namespace:a-far", "global", "builtin"]);
  });

  it("skips what the grant does not cover, and goes on above it", async () => {
    const limited = { ...token, secret_scopes: ["repo:r", "namespace:all", "global"] };
    expect(await searched("repo:r", limited)).toEqual(["repo:r", "namespace:all", "global"]);
    const { body } = await resolve({ scopes: ["repo:r"], names: ["IN_namespace_prod", "IN_team_core"] }, { token: limited });
    expect([body.secrets.IN_namespace_prod.scope, body.secrets.IN_team_core.scope]).toEqual(["namespace:all", "global"]);
  });

  it("is refused for a given scope outside the grant", async () => {
    const limited = { ...token, secret_scopes: ["namespace:*"] };
    for (const scopes of [["repo:r"], ["namespace:prod", "team:core"]])
      expect(refused(await resolve({ scopes }, { token: limited }))).toEqual([403, "forbidden"]);
    expect((await call("GET /v1/explain/X?scope=repo:r", { token: limited })).status).toBe(403);
  });

  it("is only in the scopes given with inherit false", async () => {
    expect(await searched("repo:r", token, { inherit: false })).toEqual(["repo:r"]);
  });

  it("covers limits longer than fifty characters", async () => {
    const repo = `repo:${"long-name/".repeat(7)}end`;
    const limits = { org: "long", secret_scopes: [repo, `${repo}*`, "global"] };
    await put(repo, "X", "long", { token: limits });
    for (const path of ["/v1/secrets", "/v1/scopes"]) expect((await call(`GET ${path}`, { token: limits })).status).toBe(200);
    expect(await listed(limits)).toEqual([`${repo} < null: 1`]);
  });
});

describe("deleting a scope with its secrets", () => {
  it("goes in batches until none remain, then takes the link, and notes every ciphertext for removal", async () => {
    const token = { org: "bulk" };
    const secrets = (count: number, from: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`N${from + n}`, "v"]));
    for (const [count, from] of [
      [300, 0],
      [150, 300],
    ] as const)
      await call("POST /v1/import", { token, json: { scope: "repo:big", secrets: secrets(count, from) } });
    await put("repo:big", "N0", "again", { token });
    await put("repo:bigger", "KEPT", "kept", { token });
    await link("repo:big", "team:core", { token });
    const done = [await empty("repo:big", { token }), await empty("repo:big", { token })].map(({ body }) => body);
    const deleted_until = expect.stringMatching(/^\d{4}-.*Z$/);
    expect(done).toEqual([
      { deleted: 200, remaining: 250, deleted_until },
      { deleted: 200, remaining: 50, deleted_until },
    ]);
    expect(await listed(token)).toContain("repo:big < team:core: 50");
    expect((await empty("repo:big", { token })).body).toEqual({ deleted: 50, remaining: 0, deleted_until });
    expect(await listed(token)).toEqual(["repo:bigger < null: 1"]);
    expect(refused(await empty("repo:big", { token }))).toEqual([404, "scope-not-found"]);
    const { secrets: deleted } = (await call("GET /v1/secrets?deleted=true&scope=repo%3Abig&limit=200", { token })).body;
    expect(deleted).toHaveLength(200);
    expect((await call(`POST /v1/secrets/${deleted[0].id}/undelete`, { token })).status).toBe(200);
    expect(await listed(token)).toContain("repo:big < null: 1");
    const purged: unknown[] = [];
    for (let n = 0; n < 3; n++) purged.push((await call(`DELETE ${pathOf("repo:big")}?secrets=true&purge=true`, { token })).body.deleted);
    expect(purged).toEqual([200, 200, 50]);
    expect(refused(await call(`DELETE ${pathOf("repo:big")}?secrets=true&purge=true`, { token }))).toEqual([404, "scope-not-found"]);
    expect(refused(await call(`DELETE ${pathOf("repo:bigger")}?purge=true`, { token }))).toEqual([400, "invalid-request"]);
    expect(await env.DB.prepare("SELECT COUNT(*) AS n FROM kv_removals").first("n")).toBeGreaterThanOrEqual(451);
    const events = await env.DB.prepare(
      "SELECT action, COALESCE(secrets_total, json_array_length(secrets)) AS n FROM audit_events WHERE org = 'bulk' AND action LIKE '%.delete' ORDER BY seq",
    ).all();
    expect(events.results.map(({ action, n }) => `${action} ${n}`)).toEqual(["secret.delete 200", "secret.delete 200", "secret.delete 50", "scope.delete 0"]);
  });

  it("answers well when somebody else takes the link at the same time", async () => {
    const token = { org: "bulk-race" };
    for (let n = 0; n < 5; n++) {
      await put("repo:r", "A", "v", { token });
      await link("repo:r", "global", { token });
      const [emptied] = await Promise.all([empty("repo:r", { token }), unlink("repo:r", { token })]);
      expect([emptied?.status, emptied?.body.remaining]).toEqual([200, 0]);
      expect(await listed(token)).toEqual([]);
    }
  });

  it("begins again when a secret is written between the look at it and the deletion", async () => {
    const token = { org: "bulk-written" };
    await put("repo:r", "A", "v", { token });
    const batch = env.DB.batch.bind(env.DB);
    let batches = 0;
    const DB = {
      prepare: env.DB.prepare.bind(env.DB),
      batch: async (statements: D1PreparedStatement[]) => {
        if (++batches === 2) await put("repo:r", "A", "other", { token });
        return batch(statements);
      },
    };
    expect((await callWith({ DB })(`DELETE ${pathOf("repo:r")}?secrets=true`, { token })).body).toMatchObject({ deleted: 1, remaining: 0 });
    const { events } = (await call("GET /v1/audit?action=secret.delete", { token })).body;
    expect(events.map(({ secrets }: { secrets: { version: number }[] }) => secrets.map(({ version }) => version))).toEqual([[2]]);
  });

  it("is refused to a token that covers some names only", async () => {
    const token = { org: "bulk-names" };
    await put("team:t", "A", "v", { token });
    expect(refused(await empty("team:t", { token: { ...token, secret_names: ["A"] } }))).toEqual([403, "forbidden"]);
    expect(await listed(token)).toHaveLength(1);
  });
});
