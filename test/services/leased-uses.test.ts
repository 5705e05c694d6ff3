import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openPlace, type Place } from "../leases/place.ts";
import type { CallOptions } from "../support/call.ts";
import { sign } from "../support/sign.ts";
import { asked, definition, replying, VALUE } from "./upstream.ts";

const START = Date.parse("2026-11-28T12:00:00.000Z");
const MACHINE = { ALLOW_INSECURE_ORIGINS: "true" };
let org = "";
let token = "";
let place: Place;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: START });
  org = `leased-${crypto.randomUUID().slice(0, 8)}`;
  token = await sign({ org });
  place = openPlace(MACHINE);
  await setSecret("API_KEY", VALUE);
  await setService();
});
afterEach(async () => {
  await pass(100);
  await place.settle();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const pass = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000);
const setSecret = async (name: string, value: string, fields: object = {}, by: Place = place, scope = "global") => {
  const json = { value, hosts: ["127.0.0.1"], ...fields };
  expect((await by.call(`PUT /v1/scopes/${encodeURIComponent(scope)}/secrets/${name}`, { token, json })).status).toBeLessThan(300);
};
const setService = async (fields: object = {}, by: Place = place) => {
  expect((await by.call("PUT /v1/services/api", { token, json: { ...definition(fields), audit: "lease", ...fields } })).status).toBeLessThan(300);
};
const useOf = async (path: string, options: CallOptions = {}, at: Place = place) => at.call(`GET /use/api${path}`, { token, ...options });

interface Noted {
  readonly action: string;
  readonly target: string | null;
  readonly secrets: { readonly version: number }[];
  readonly lease?: { readonly id: string; readonly uses?: number; readonly final?: boolean; readonly max_uses?: number; readonly calls?: unknown };
}
const events = async (): Promise<Noted[]> => {
  const reply = await openPlace(MACHINE).call("GET /v1/audit?limit=200", { token });
  return [...reply.body.events].reverse();
};
const uses = async () => (await events()).filter(({ action }) => action === "secret.use");

describe("uses under a lease", () => {
  it("are on record once, and then counted with what was asked, and ask neither D1 nor KV", async () => {
    expect(asked(await useOf("/echo/a?q=1")).headers.authorization).toBe(`Bearer ${"*".repeat(VALUE.length)}`);
    const before = { ...place.asked };
    const out = vi.spyOn(globalThis, "fetch");
    for (const path of ["/echo/a", "/echo/a?q=2", "/echo/items/17", "/echo/items/18", replying({ status: 404, chunks: ["none"] })])
      expect([200, 404]).toContain((await useOf(path)).status);
    expect((await place.call("POST /use/api/echo/up", { token, body: "12345" })).status).toBe(200);
    expect(place.asked).toEqual(before);
    expect(out.mock.calls.every(([, init]) => new Headers((init as RequestInit).headers).get("authorization") === `Bearer ${VALUE}`)).toBe(true);
    expect(out).toHaveBeenCalledTimes(6);
    vi.restoreAllMocks();
    await pass(90);
    await place.settle();
    const [opened, ...others] = (await events()).filter(({ lease }) => lease);
    expect(opened).toMatchObject({ action: "secret.use", target: "api#1 rule 1 GET /echo/a", secrets: [{ name: "API_KEY", version: 1 }] });
    const last = others.at(-1);
    expect(last).toMatchObject({ action: "secret.resolve.uses", secrets: [{ name: "API_KEY" }], lease: { id: opened?.lease?.id, uses: 6, final: true } });
    expect(last?.lease?.calls).toEqual({
      requests: [
        { request: "GET /echo/a", count: 3 },
        { request: "GET /echo/items/*", count: 2 },
        { request: "GET /reply/*", count: 1 },
        { request: "POST /echo/up", count: 1 },
      ],
      other_requests: 0,
      statuses: [
        { status: 200, count: 6 },
        { status: 404, count: 1 },
      ],
      sent_bytes: 5,
      received_bytes: expect.any(Number),
    });
    expect((last?.lease?.calls as { received_bytes: number } | undefined)?.received_bytes).toBeGreaterThan(400);
    expect(await env.DB.prepare("SELECT COUNT(*) AS n FROM open_leases WHERE org = ?").bind(org).first("n")).toBe(0);
  });

  it("are each of one caller, address, zone, client, rule, origin and scope", async () => {
    await setService({
      scopes: ["namespace:*"],
      allow: [
        { methods: ["GET"], paths: ["/echo/one/**"] },
        { methods: ["GET"], paths: ["/echo/two/**"] },
      ],
    });
    for (const scope of ["namespace:a", "namespace:b"]) await setSecret("API_KEY", `${VALUE}-${scope}`, {}, place, scope);
    const a = { "Keyhole-Scope": "namespace:a" };
    const alike = [{ headers: a }, { headers: { ...a, "X-Other": "1", Accept: "text/plain" } }];
    for (const options of alike) expect((await useOf("/echo/one/x", options)).status).toBe(200);
    expect(await uses()).toHaveLength(1);
    const others: [string, CallOptions][] = [
      ["/echo/two/x", { headers: a }],
      ["/echo/one/x", { headers: { "Keyhole-Scope": "namespace:b" } }],
      ["/echo/one/x", { headers: { ...a, "User-Agent": "another" } }],
      ["/echo/one/x", { headers: { ...a, "CF-Connecting-IP": "192.0.2.1" } }],
      ["/echo/one/x", { headers: { ...a, "CF-Worker": "a.example" } }],
      ["/echo/one/x", { headers: a, token: await sign({ org }) }],
      ["/echo/one/x", { headers: a, token: await sign({ org, secret_names: ["API_*"] }) }],
    ];
    for (const [n, [path, options]] of others.entries()) {
      expect((await useOf(path, options)).status).toBe(200);
      expect(await uses(), `the use ${n + 2}`).toHaveLength(n + 2);
    }
  });

  it("are opened once by many at the same time", async () => {
    const replies = await Promise.all(Array.from({ length: 8 }, () => useOf("/echo/x")));
    expect(replies.map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(await uses()).toHaveLength(1);
  });

  it("are none where the service, the deployment or a secret says so", async () => {
    const each = async (at: Place) => {
      const before = (await uses()).length;
      for (let n = 0; n < 2; n++) expect((await useOf("/echo/x", {}, at)).status).toBe(200);
      const found = (await uses()).slice(before);
      return [found.length, found.some(({ lease }) => lease)];
    };
    expect(await each(openPlace({ ...MACHINE, LEASE_SECONDS: "0" }))).toEqual([2, false]);
    await setSecret("API_KEY", VALUE, { max_lease_seconds: 0 });
    expect(await each(place)).toEqual([2, false]);
    await setSecret("API_KEY", VALUE, { max_lease_seconds: null });
    await setService({ audit: "each" });
    expect(await each(place)).toEqual([2, false]);
  });

  it("take as much of the memory as their service, which each may have of its own", async () => {
    const paths = Array.from({ length: 100 }, (_, n) => `/echo/${n}-${"x".repeat(100)}`);
    await setService({ allow: [{ methods: ["GET"], paths: ["/echo/x"] }, ...Array.from({ length: 32 }, () => ({ methods: ["GET"], paths }))] });
    for (const agent of ["a", "a", "b", "a"]) expect((await useOf("/echo/x", { headers: { "User-Agent": agent } })).status).toBe(200);
    expect((await uses()).length, "of the two there is room for one").toBe(3);
  });

  it("find their service in memory, of which an organization has a part: the one used longest ago is read again", async () => {
    const paths = Array.from({ length: 100 }, (_, n) => `/echo/${n}-${"x".repeat(600)}`);
    const json = { ...definition({ allow: [{ methods: ["GET"], paths: ["/echo/x", ...paths.slice(1)] }] }), audit: "lease" };
    const names = Array.from({ length: 18 }, (_, n) => `large-${n}`);
    for (const name of names) expect((await place.call(`PUT /v1/services/${name}`, { token, json })).status).toBe(201);
    const asksD1 = async (name = "") => {
      const { d1 } = place.asked;
      expect((await place.call(`GET /use/${name}/echo/x`, { token, headers: { "User-Agent": crypto.randomUUID() } })).status).toBe(200);
      return place.asked.d1 - d1;
    };
    for (const name of names) expect(await asksD1(name)).toBe(3);
    expect([await asksD1(names[17]), await asksD1(names[0])]).toEqual([2, 3]);
  });

  it("are renewed before the lease ends, without asking the service twice", async () => {
    const out = vi.spyOn(globalThis, "fetch");
    for (let second = 0; second <= 70; second += 2) {
      expect((await useOf("/echo/x")).status).toBe(200);
      await pass(2);
    }
    expect(out).toHaveBeenCalledTimes(36);
    expect((await uses()).map(({ target }) => target)).toEqual(Array(2).fill("api#1 rule 1 GET /echo/x"));
  });

  it("count what did not come to a reply by the status that its caller was told", async () => {
    await useOf("/echo/x");
    vi.spyOn(globalThis, "fetch").mockRejectedValueOnce(new Error("gone"));
    expect((await useOf("/echo/x")).status).toBe(502);
    await pass(90);
    await place.settle();
    expect((await events()).at(-1)?.lease?.calls).toMatchObject({ statuses: [expect.objectContaining({ status: 200 }), { status: 502, count: 1 }] });
  });
});

describe("a lease of uses ends", () => {
  const soon = async (at: Place, path = "/echo/x", options: CallOptions = {}) => {
    await pass(6);
    return useOf(path, options, at);
  };
  let elsewhere: Place;
  beforeEach(async () => {
    elsewhere = openPlace(MACHINE);
    await useOf("/echo/x");
  });

  it("when its token is revoked: then nothing is told of the service either", async () => {
    const minted = await elsewhere.call("POST /v1/tokens", { token, json: { label: "a", permissions: ["secrets:use"], expires_in: 3600 } });
    const by = { token: minted.body.token as string };
    expect((await useOf("/echo/x", by)).status).toBe(200);
    expect((await elsewhere.call(`DELETE /v1/tokens/${minted.body.id}`, { token })).status).toBe(204);
    const out = vi.spyOn(globalThis, "fetch");
    // Where it is in memory what the service allows, and which scopes it searches.
    expect((await useOf("/admin", by)).status).toBe(401);
    expect((await useOf("/echo/x", { ...by, headers: { "Keyhole-Scope": "namespace:a" } })).status).toBe(401);
    expect((await soon(place, "/echo/x", by)).status).toBe(401);
    expect(out).not.toHaveBeenCalled();
    expect((await useOf("/echo/x")).status).toBe(200);
  });

  it("when its token is revoked: then it takes none of the uses of its subject either", async () => {
    await setService({ uses_per_minute: 3 });
    const json = { label: "a", permissions: ["secrets:use"], expires_in: 3600 };
    const [good, revoked] = [await elsewhere.call("POST /v1/tokens", { token, json }), await elsewhere.call("POST /v1/tokens", { token, json })];
    expect((await elsewhere.call(`DELETE /v1/tokens/${revoked.body.id}`, { token })).status).toBe(204);
    const ask = async ({ body }: typeof good) => (await useOf("/echo/x", { token: body.token })).status;
    expect([await ask(good), await ask(revoked), await ask(revoked), await ask(revoked), await ask(good), await ask(good)]).toEqual([
      ...[200, 401, 401, 401, 200, 200],
    ]);
    expect([await ask(good), await ask(revoked)], "nor is it told how many there are").toEqual([429, 401]);
  });

  it("when its secret is another one, and the next use is on record with that", async () => {
    await setSecret("API_KEY", "sk-value-of-version-two", {}, elsewhere);
    const out = vi.spyOn(globalThis, "fetch");
    expect((await soon(place)).status).toBe(200);
    expect(new Headers(out.mock.calls[0]?.[1]?.headers).get("authorization")).toBe("Bearer sk-value-of-version-two");
    expect((await uses()).map(({ secrets }) => secrets[0]?.version)).toEqual([1, 2]);
  });

  it("when the secret may not go there any more", async () => {
    await setSecret("API_KEY", VALUE, { hosts: ["api.example.com"] }, elsewhere);
    expect((await soon(place)).body.code).toBe("use-not-allowed");
  });

  it("when the service is changed, or is there no more", async () => {
    await setService({ allow: [{ methods: ["POST"], paths: ["/echo/**"] }] }, elsewhere);
    expect((await soon(place)).body.code).toBe("use-not-allowed");
    await elsewhere.call("DELETE /v1/services/api", { token });
    expect((await soon(place)).body.code).toBe("service-not-found");
    await setService({}, elsewhere);
    expect((await soon(place)).status).toBe(200);
    expect((await uses()).filter(({ lease }) => lease)).toHaveLength(2);
  });

  it("when a scope that is searched first has all of its secrets now", async () => {
    await setService({ scopes: ["team:a", "global"] });
    expect((await useOf("/echo/x")).status).toBe(200);
    await setSecret("API_KEY", "sk-value-of-team-a", {}, elsewhere, "team:a");
    const out = vi.spyOn(globalThis, "fetch");
    expect((await soon(place)).status).toBe(200);
    expect(new Headers(out.mock.calls[0]?.[1]?.headers).get("authorization")).toBe("Bearer sk-value-of-team-a");
  });

  it("at once where the change was made", async () => {
    await setSecret("API_KEY", "sk-value-of-version-two");
    await useOf("/echo/x");
    expect((await uses()).map(({ secrets }) => secrets[0]?.version)).toEqual([1, 2]);
  });

  it("and not by what has nothing to do with it", async () => {
    await setSecret("OTHER", "x", {}, elsewhere);
    await setSecret("API_KEY", "x", {}, elsewhere, "namespace:unsearched");
    expect((await soon(place)).status).toBe(200);
    expect(await uses()).toHaveLength(1);
  });

  it("when D1 cannot say any more whether it is so", async () => {
    let away = false;
    const batch = (statements: D1PreparedStatement[]) => (away ? Promise.reject(new Error("D1_ERROR: away")) : env.DB.batch(statements));
    const DB = new Proxy(env.DB, { get: (db, name) => (name === "batch" ? batch : Reflect.get(db, name).bind?.(db)) });
    const cut = openPlace({ ...MACHINE, DB });
    expect((await useOf("/echo/x", {}, cut)).status).toBe(200);
    away = true;
    const out = vi.spyOn(globalThis, "fetch");
    expect((await useOf("/echo/x", {}, cut)).status).toBe(200);
    expect((await soon(cut)).status).toBe(503);
    expect(out).toHaveBeenCalledTimes(1);
    away = false;
    expect((await useOf("/echo/x", {}, cut)).status).toBe(200);
    await pass(100);
    await cut.settle();
  });
});

it("a token that asks D1 too often is held up, and what is given again is not", async () => {
  const limited: string[] = [];
  const RESOLVE_LIMIT = { limit: async ({ key }: { key: string }) => ({ success: limited.push(key) <= 2 }) };
  const at = openPlace({ ...MACHINE, RESOLVE_LIMIT });
  const statuses = [];
  for (let n = 0; n < 5; n++) statuses.push((await useOf("/echo/x", {}, at)).status);
  for (let n = 0; n < 2; n++) statuses.push((await useOf("/echo/x", { headers: { "User-Agent": `client ${n}` } }, at)).status);
  expect(statuses).toEqual([200, 200, 200, 200, 200, 200, 429]);
  expect(limited).toHaveLength(3);
  await pass(100);
  await at.settle();
});

it("a token that asks too often is held up before D1 is asked, and not after the service was", async () => {
  let few = true;
  const RESOLVE_LIMIT = { limit: async () => ({ success: few }) };
  const at = openPlace({ ...MACHINE, RESOLVE_LIMIT });
  expect((await useOf("/echo/x", {}, at)).status).toBe(200);
  few = false;
  const { d1 } = at.asked;
  expect((await useOf("/admin", {}, at)).status).toBe(429);
  expect(at.asked.d1).toBe(d1);
  vi.spyOn(globalThis, "fetch").mockRejectedValueOnce(new Error("gone"));
  expect((await useOf("/echo/x", {}, at)).status).toBe(502);
  await pass(100);
  await at.settle();
});
