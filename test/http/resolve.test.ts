import { describe, expect, it } from "vitest";
import { at, call, put, resolve } from "../support/call.ts";
import { eventsOf } from "../support/events-of.ts";
import { putExpired } from "../support/put-expired.ts";
import type { TokenClaims } from "../support/sign.ts";

const CHAIN = ["repo:acme/api", "agent:bot", "namespace:prod", "team:core", "global"];
const platform: TokenClaims = { org: "platform" };
const win = ({ body }: Awaited<ReturnType<typeof resolve>>, name: string) => [body.secrets[name].scope, body.secrets[name].value];

describe("the search", () => {
  it("takes the most specific scope that has the name: repo, agent, namespace, team, global, builtin", async () => {
    await put("global", "CHAINED", "from builtin", { token: platform });
    for (const scope of CHAIN) await put(scope, "CHAINED", `from ${scope}`);
    for (const scope of CHAIN) {
      const resolved = await resolve({ scopes: CHAIN.toReversed(), names: ["CHAINED"] });
      expect(resolved.body.searched).toEqual([...CHAIN, "builtin"]);
      expect(win(resolved, "CHAINED")).toEqual([scope, `from ${scope}`]);
      await call(`DELETE ${at(scope, "CHAINED")}`);
    }
    expect(win(await resolve({ scopes: CHAIN, names: ["CHAINED"] }), "CHAINED")).toEqual(["builtin", "from builtin"]);
  });

  it("joins global and builtin to the scopes given, and not with inherit false", async () => {
    await put("global", "WIDE", "wide");
    const scopes = ["team:nowhere"];
    expect((await resolve({ scopes, names: ["WIDE"] })).body.searched).toEqual(["team:nowhere", "global", "builtin"]);
    const alone = await resolve({ scopes, names: ["WIDE"], inherit: false, allow_missing: true });
    expect(alone.body).toEqual({ secrets: {}, missing: ["WIDE"], searched: ["team:nowhere"] });
  });

  it("says which scopes that were asked for nobody has declared or used, in every form of the reply, also under a lease", async () => {
    const org = "misspells";
    await put("global", "A", "v", { token: { org } });
    await put("namespace:used", "B", "v", { token: { org } });
    await call("PUT /v1/scopes/repo%3Adeclared", { token: { org }, json: { parent: "team:parent" } });
    const token = { org, scope: "secrets:resolve", secret_scopes: ["global", "repo:*", "team:*", "namespace:*"] };
    const empty = async (scopes: string[], format = "env", headers = {}) =>
      (await call(`POST /v1/resolve?format=${format}`, { token, headers, json: { scopes, names: ["A"] } })).headers.get("Keyhole-Empty-Scopes");
    expect(await empty(["repo:declared", "team:parent", "namespace:used", "global"])).toBeNull();
    const wrong = ["repo:Declared", "namespace:usedd", "team:parent"];
    for (const format of ["json", "env", "dotenv"]) expect(await empty(wrong, format)).toBe('"repo:Declared", "namespace:usedd"');
    const lease = { "Cache-Control": "max-age=60" };
    expect([await empty(wrong, "json", lease), await empty(wrong, "json", lease)]).toEqual(Array(2).fill('"repo:Declared", "namespace:usedd"'));
    const one = await call("GET /v1/resolve/A?format=raw&scope=namespace%3Ausedd", { token });
    expect([one.text, one.headers.get("Keyhole-Empty-Scopes")]).toEqual(["v", '"namespace:usedd"']);
    const outside = await call("POST /v1/resolve", { token, json: { scopes: ["agent:x"] } });
    expect([outside.status, outside.headers.get("Keyhole-Empty-Scopes")]).toEqual([403, null]);
  });

  it("without scopes is in the exact scopes of the grant, or global where it has none", async () => {
    await put("agent:mine", "MINE", "v");
    const exact = await resolve({ names: ["MINE"] }, { token: { secret_scopes: ["agent:mine", "repo:x/*"] } });
    expect([exact.status, exact.body.searched]).toEqual([200, ["agent:mine"]]);
    const patterns = await resolve({ names: ["MINE"], allow_missing: true }, { token: { secret_scopes: ["agent:*", "global"] } });
    expect(patterns.body.searched).toEqual(["global"]);
    expect((await resolve({ allow_missing: true })).body.searched).toEqual(["global", "builtin"]);
  });

  it("without scopes is refused when the grant holds several exact scopes of one kind", async () => {
    const { status, body } = await resolve({}, { token: { secret_scopes: ["team:a", "team:b"] } });
    expect([status, body.code]).toEqual([400, "invalid-request"]);
  });

  it("without scopes works for a grant of builtin alone, and for one that names a scope twice", async () => {
    await put("global", "GIVEN", "from builtin", { token: platform });
    const builtin = await resolve({ names: ["GIVEN"] }, { token: { secret_scopes: ["builtin"] } });
    expect([builtin.status, builtin.body.searched]).toEqual([200, ["builtin"]]);
    expect((await resolve({ names: ["GIVEN"], inherit: false }, { token: { secret_scopes: ["builtin"] } })).status).toBe(404);
    expect((await resolve({ allow_missing: true }, { token: { secret_scopes: ["global", "global"] } })).body.searched).toEqual(["global"]);
  });

  it("leaves out global and builtin where the grant does not cover them", async () => {
    await put("global", "UNCOVERED", "v");
    const { status, body } = await resolve({ scopes: ["team:a"], names: ["UNCOVERED"] }, { token: { secret_scopes: ["team:*"] } });
    expect([status, body.code, body.searched]).toEqual([404, "secret-not-found", ["team:a"]]);
    const builtin = await resolve({ scopes: ["team:a"], allow_missing: true }, { token: { secret_scopes: ["team:*", "builtin"] } });
    expect(builtin.body.searched).toEqual(["team:a", "builtin"]);
  });
});

describe("the names", () => {
  it("omitted mean everything that applies, each from its nearest scope", async () => {
    const token = { org: "everything" };
    await put("global", "A", "a global", { token });
    await put("global", "B", "b global", { token });
    await put("team:t", "B", "b team", { token });
    await put("team:other", "C", "c", { token });
    const { body } = await resolve({ scopes: ["team:t"], inherit: true }, { token: { ...token, secret_names: ["A", "B", "C"] } });
    expect(Object.entries<{ scope: string }>(body.secrets).map(([name, { scope }]) => [name, scope])).toEqual([
      ["A", "global"],
      ["B", "team:t"],
    ]);
    expect(body.missing).toEqual([]);
    const narrowed = await resolve({ scopes: ["team:t"] }, { token: { ...token, secret_names: ["B*", "B"] } });
    expect(Object.keys(narrowed.body.secrets)).toEqual(["B"]);
  });

  it("that are nowhere make it 404 with all of them, and nothing is returned", async () => {
    await put("global", "PRESENT", "present-value");
    const { status, body, text } = await resolve({ names: ["NO_1", "PRESENT", "NO_2"] });
    expect([status, body.code, body.missing, body.searched]).toEqual([404, "secret-not-found", ["NO_1", "NO_2"], ["global", "builtin"]]);
    expect(text).not.toContain("present-value");
    const allowed = await resolve({ names: ["NO_1", "PRESENT", "NO_2"], allow_missing: true });
    expect([Object.keys(allowed.body.secrets), allowed.body.missing]).toEqual([["PRESENT"], ["NO_1", "NO_2"]]);
  });

  it.each<[object, string]>([
    [{ names: [] }, "/names"],
    [{ names: ["A", "A"] }, "/names"],
    [{ names: Array.from({ length: 101 }, (_, n) => `N${n}`) }, "/names"],
    [{ names: ["1"] }, "/names/0"],
    [{ scopes: [] }, "/scopes"],
    [{ scopes: ["team:a", "team:b"] }, "/scopes"],
    [{ scopes: ["builtin"] }, "/scopes/0"],
    [{ scopes: "global" }, "/scopes"],
    [{ inherit: "no" }, "/inherit"],
    [{ allow_missing: null }, "/allow_missing"],
    [{ name: "A" }, "/name"],
  ])("and scopes as in %j are refused at %s", async (request, pointer) => {
    const { status, body } = await resolve(request);
    expect([status, body.errors[0].pointer]).toEqual([400, pointer]);
  });

  it("may be 100", async () => {
    const names = Array.from({ length: 100 }, (_, n) => `HUNDRED_${n}`);
    expect((await resolve({ names, allow_missing: true })).body.missing).toEqual(names);
  });
});

describe("an expired secret", () => {
  it("is never replaced by a wider scope: 410, or missing with allow_missing", async () => {
    await put("global", "LAPSED", "wider-value");
    await putExpired("team:t", "LAPSED", "expired-value");
    const { status, body, text } = await resolve({ scopes: ["team:t"], names: ["LAPSED"] });
    expect([status, body.code, body.expired]).toEqual([410, "secret-expired", ["LAPSED"]]);
    expect(text).not.toMatch(/wider-value|expired-value/);
    const allowed = await resolve({ scopes: ["team:t"], names: ["LAPSED"], allow_missing: true });
    expect(allowed.body).toEqual({ secrets: {}, missing: ["LAPSED"], searched: ["team:t", "global", "builtin"] });
    expect((await call("GET /v1/resolve/LAPSED?scope=team:t")).status).toBe(410);
  });

  it("in a wider scope does not matter to a nearer one that has not", async () => {
    await putExpired("global", "NEARER", "old");
    await put("team:t", "NEARER", "new");
    expect((await resolve({ scopes: ["team:t"], names: ["NEARER"] })).body.secrets.NEARER.value).toBe("new");
  });

  it("is refused from its expiry on and not before", async () => {
    await put("global", "SOON", "v", { fields: { expires_at: new Date(Date.now() + 60_000).toISOString() } });
    expect((await resolve({ names: ["SOON"] })).status).toBe(200);
    await putExpired("global", "SOON", "v");
    expect((await resolve({ names: ["SOON"] })).status).toBe(410);
    await put("global", "SOON", "v", { fields: { expires_at: null } });
    expect((await resolve({ names: ["SOON"] })).status).toBe(200);
  });

  it("is left out of a resolve of everything and listed, and nothing wider takes its place", async () => {
    const token = { org: "expiring" };
    await put("global", "GOOD", "v", { token });
    await put("global", "OLD", "wider-value", { token });
    await putExpired("team:t", "OLD", "v", { token });
    for (const request of [{}, { allow_missing: true }]) {
      const { status, body, text, headers } = await resolve({ scopes: ["team:t"], ...request }, { token: { ...token, secret_names: ["GOOD", "OLD"] } });
      expect([status, Object.keys(body.secrets), body.missing, body.expired]).toEqual([200, ["GOOD"], [], ["OLD"]]);
      expect(text).not.toContain("wider-value");
      const [event, ...more] = await eventsOf(token.org, headers.get("X-Request-Id"));
      expect([event?.outcome, event?.secrets.map(({ name }) => name), more]).toEqual(["allowed", ["GOOD"], []]);
    }
    const before = (await resolve({ scopes: ["team:t"] }, { token })).headers.get("ETag") ?? "";
    expect((await resolve({ scopes: ["team:t"] }, { token, headers: { "If-None-Match": before } })).status).toBe(304);
    await put("team:u", "GOOD", "v", { token });
    await call(`DELETE ${at("team:t", "OLD")}`, { token });
    await call(`DELETE ${at("global", "OLD")}`, { token });
    const after = await resolve({ scopes: ["team:t"] }, { token, headers: { "If-None-Match": before } });
    expect([after.status, after.body.expired], "the same secrets without the expired one are another answer").toEqual([200, undefined]);
  });
});

describe("builtin secrets", () => {
  it("are the platform's global ones: given to every org, listed and found by none but the platform", async () => {
    await put("global", "BUILT_IN", "builtin-value", { token: platform });
    await put("team:ops", "NOT_BUILT_IN", "v", { token: platform });
    const token = { org: "customer" };
    expect(win(await resolve({ names: ["BUILT_IN"] }, { token }), "BUILT_IN")).toEqual(["builtin", "builtin-value"]);
    expect((await resolve({ names: ["NOT_BUILT_IN"] }, { token })).status).toBe(404);
    expect((await call("GET /v1/secrets", { token })).body.secrets).toEqual([]);
    expect((await call(`GET ${at("global", "BUILT_IN")}`, { token })).status).toBe(404);
    await put("global", "BUILT_IN", "own", { token });
    expect(win(await resolve({ names: ["BUILT_IN"] }, { token }), "BUILT_IN")).toEqual(["global", "own"]);
    expect(win(await resolve({ names: ["BUILT_IN"] }, { token: { org: "another" } }), "BUILT_IN")).toEqual(["builtin", "builtin-value"]);
  });
});
