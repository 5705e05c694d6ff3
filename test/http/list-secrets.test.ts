import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { at, call, put } from "../support/call.ts";
import { putExpired } from "../support/put-expired.ts";
import type { TokenClaims } from "../support/sign.ts";

const places = (secrets: { name: string; scope: string }[]) => secrets.map(({ name, scope }) => `${name} ${scope}`);

async function list(query: string, token: TokenClaims): Promise<string[]> {
  const { status, body } = await call(`GET /v1/secrets?${query}`, { token });
  expect(status).toBe(200);
  return places(body.secrets);
}

/** Reads all pages, and lets `between` do something before each but the first. */
async function listAll(limit: number, token: TokenClaims, between: (page: number) => Promise<unknown> = async () => {}): Promise<string[]> {
  const seen: string[] = [];
  for (let cursor: string | null = "", page = 0; cursor !== null; page++) {
    if (page > 0) await between(page);
    const { body } = await call(`GET /v1/secrets?limit=${limit}${cursor && `&cursor=${cursor}`}`, { token });
    expect(body.secrets.length).toBeLessThanOrEqual(limit);
    seen.push(...places(body.secrets));
    cursor = body.next_cursor;
  }
  return seen;
}

describe("a list", async () => {
  const token = { org: "lister" };
  const set = (scope: string, name: string, fields: object = {}) => put(scope, name, `value of ${name}`, { token, fields });
  await set("team:core", "B_KEY", { labels: { team: "core", "a/b": "x:y" } });
  await set("global", "B_KEY", { labels: { team: "other" } });
  await set("namespace:prod", "A_KEY", { labels: { core: "team" } });
  await set("namespace:dev", "A_KEY", { rotate_after_days: 1 });
  await putExpired("repo:acme/api", "a_key", "value of a_key", { token });
  await set("agent:bot", "B-KEY", { expires_at: "2999-01-01T00:00:00Z" });
  await env.DB.prepare("UPDATE secrets SET rotated_at = 0 WHERE org = 'lister' AND scope = 'namespace:dev'").run();
  const all = ["A_KEY namespace:dev", "A_KEY namespace:prod", "B-KEY agent:bot", "B_KEY global", "B_KEY team:core", "a_key repo:acme/api"];

  it("is by name, then scope, and shows no value", async () => {
    const { body, text } = await call("GET /v1/secrets", { token });
    expect(places(body.secrets)).toEqual(all);
    expect(body.next_cursor).toBeNull();
    expect(text).not.toContain("value of");
    expect(body.secrets[3]).toEqual((await call(`GET ${at("global", "B_KEY")}`, { token })).body);
  });

  it.each([
    ["scope=namespace:prod", ["A_KEY namespace:prod"]],
    ["scope=repo%3Aacme%2Fapi", ["a_key repo:acme/api"]],
    ["scope=team:nobody", []],
    ["kind=namespace", ["A_KEY namespace:dev", "A_KEY namespace:prod"]],
    ["kind=global", ["B_KEY global"]],
    ["name=B_KEY", ["B_KEY global", "B_KEY team:core"]],
    ["prefix=B", ["B-KEY agent:bot", "B_KEY global", "B_KEY team:core"]],
    ["prefix=B_", ["B_KEY global", "B_KEY team:core"]],
    ["prefix=a", ["a_key repo:acme/api"]],
    ["label=team:core", ["B_KEY team:core"]],
    ["label=a%2Fb:x:y", ["B_KEY team:core"]],
    ["label=team:nobody", []],
    ["due=expiry", ["a_key repo:acme/api"]],
    ["due=rotation", ["A_KEY namespace:dev"]],
    ["kind=team&name=B_KEY&prefix=B&label=team:core", ["B_KEY team:core"]],
    ["kind=team&scope=global", []],
  ])("filters by %s", async (query, expected) => {
    expect(await list(query, token)).toEqual(expected);
  });

  it.each(["limit=0", "limit=201", "limit=1.5", "limit=x", "kind=galaxy", "due=now", "label=nocolon", "scope=team:", "name=1A", "prefix=%25", "sort=name"])(
    "refuses %s with 400 and names the parameter",
    async (query) => {
      const { status, body } = await call(`GET /v1/secrets?${query}`, { token });
      expect([status, body.errors[0].pointer]).toEqual([400, `query:${query.split("=")[0]}`]);
    },
  );

  it.each(["x", "e30", "WyJhIl0", "!!!", btoa('{"name":"A"}')])("refuses the cursor %s with 400", async (cursor) => {
    const { status, body } = await call(`GET /v1/secrets?cursor=${encodeURIComponent(cursor)}`, { token });
    expect([status, body.errors[0].pointer]).toEqual([400, "query:cursor"]);
  });

  it.each<[TokenClaims, string[]]>([
    [{ secret_scopes: ["namespace:*"] }, ["A_KEY namespace:dev", "A_KEY namespace:prod"]],
    [{ secret_scopes: ["global", "repo:acme/*"] }, ["B_KEY global", "a_key repo:acme/api"]],
    [{ secret_names: ["B_*"] }, ["B_KEY global", "B_KEY team:core"]],
    [{ secret_names: ["a_key", "A_KEY"], secret_scopes: ["namespace:prod", "repo:*"] }, ["A_KEY namespace:prod", "a_key repo:acme/api"]],
    [{ secret_names: ["A*", "A_K*", "*"] }, all],
    [{ secret_scopes: [] }, []],
    [{ secret_names: [] }, []],
    [{ org: "nobody" }, []],
  ])("shows to %j only what the grant covers", async (limits, expected) => {
    expect(await list("", { ...token, ...limits })).toEqual(expected);
    expect(await listAll(1, { ...token, ...limits })).toEqual(expected);
  });

  it.each(["scope=namespace:prod", "name=A_KEY"])("is refused when %s asks for what is outside the grant", async (query) => {
    const limits = { secret_scopes: ["global"], secret_names: ["B*"] };
    expect((await call(`GET /v1/secrets?${query}`, { token: { ...token, ...limits } })).status).toBe(403);
  });
});

describe("a cursor", () => {
  it.each([1, 2, 3, 7, 200])("gives every secret once in pages of %i", async (limit) => {
    const token = { org: `pages-${limit}` };
    const names = Array.from({ length: 7 }, (_, n) => `K${n}`);
    for (const name of names) await put("global", name, "v", { token });
    expect(await listAll(limit, token)).toEqual(names.map((name) => `${name} global`));
  });

  it("neither skips nor repeats what stays, while others insert and delete between pages", async () => {
    const token = { org: "moving" };
    const stays = Array.from({ length: 9 }, (_, n) => `K${n}0`);
    for (const name of stays) await put("global", name, "v", { token });
    for (const name of ["A_DOOMED", "K05", "K45", "K85"]) await put("global", name, "v", { token });
    const doomed = ["A_DOOMED", "K05", "K45", "K85"];
    const seen = await listAll(2, token, async (page) => {
      await put("global", `A_NEW_${page}`, "v", { token });
      await put("team:new", "K00", "v", { token });
      const gone = doomed.shift();
      if (gone) await call(`DELETE ${at("global", gone)}`, { token });
    });
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.filter((place) => /^K\d0 global$/.test(place))).toEqual(stays.map((name) => `${name} global`));
  });

  it("goes on after a secret that has been deleted meanwhile", async () => {
    const token = { org: "deleted-under" };
    for (const name of ["A", "B", "C"]) await put("global", name, "v", { token });
    const seen = await listAll(1, token, (page) => call(`DELETE ${at("global", page === 1 ? "A" : "B")}`, { token }));
    expect(seen).toEqual(["A global", "B global", "C global"]);
  });
});
