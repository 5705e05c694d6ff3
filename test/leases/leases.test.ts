import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runScheduled } from "../../src/worker/scheduled.ts";
import { put } from "../support/call.ts";
import { sign } from "../support/sign.ts";
import { STILL } from "../support/still.ts";
import { openPlace, type Place } from "./place.ts";

const START = Date.parse("2026-11-26T12:00:00.000Z");
let count = 0;
let org = "";
let token = "";
let id = "";

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: START });
  count += 1;
  org = `leases${count}`;
  token = await sign({ org });
  id = (await put("namespace:prod", "KEY", "first value", { token })).body.id;
});
afterEach(() => {
  vi.useRealTimers();
});

/** Lets time pass, and whatever waits for it happen. */
const pass = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000);

interface Noted {
  readonly action: string;
  readonly lease: { readonly id: string; readonly until?: number; readonly uses?: number; readonly final?: boolean; readonly max_uses?: number } | null;
}

/** The events of the organization about resolves and leases, oldest first. */
async function noted(): Promise<Noted[]> {
  const { results } = await env.DB.prepare(
    "SELECT action, lease FROM audit_events WHERE org = ? AND (action = 'secret.resolve' OR lease IS NOT NULL) ORDER BY seq",
  )
    .bind(org)
    .all<{ action: string; lease: string | null }>();
  return results.map(({ action, lease }) => ({ action, lease: lease === null ? null : JSON.parse(lease) }));
}

/** Whether a request was answered without asking anybody. */
async function isRepeat(place: Place, ask: () => Promise<{ status: number; headers: Headers }>): Promise<boolean> {
  const before = { ...place.asked };
  const reply = await ask();
  expect(reply.status).toBe(200);
  return place.asked.d1 === before.d1 && place.asked.kv === before.kv;
}

describe("a lease", () => {
  it("gives the same again without asking D1 or KV, under one event", async () => {
    const place = openPlace();
    const first = await place.resolve("KEY", 60, { token });
    expect(first.body).toMatchObject({ value: "first value", lease: { until: "2026-11-26T12:01:00.000Z", expires_in: 60 } });
    expect(first.headers.get("Age")).toBe("0");
    const before = { ...place.asked };
    await pass(2);
    const second = await place.resolve("KEY", 60, { token });
    expect(second.body).toEqual({ ...first.body, lease: { ...first.body.lease, expires_in: 58 } });
    expect(second.headers.get("Age")).toBe("2");
    expect(second.headers.get("ETag")).toBe(first.headers.get("ETag"));
    expect(second.headers.get("Cache-Control")).toBe("no-store");
    expect(second.headers.get("X-Request-Id")).not.toBe(first.headers.get("X-Request-Id"));
    expect(place.asked).toEqual(before);
    expect(await noted()).toEqual([{ action: "secret.resolve", lease: { id: first.body.lease.id, until: START + 60_000, max_uses: 10_000 } }]);
  });

  it.each([
    ["no Cache-Control", {}],
    ["no-cache", { "Cache-Control": "no-cache" }],
    ["0 seconds", { "Cache-Control": "max-age=0" }],
    ["something else beside it", { "Cache-Control": "max-age=60, no-cache" }],
    ["two of them", { "Cache-Control": "max-age=60, max-age=10" }],
    ["no number", { "Cache-Control": "max-age=forever" }],
  ])("is not opened for %s: each answer has its event", async (_, headers) => {
    const place = openPlace();
    const ask = () => place.call("GET /v1/resolve/KEY?scope=namespace:prod", { token, headers });
    const [first, second] = [await ask(), await ask()];
    expect([first.status, second.status, first.body.lease, first.headers.get("Age")]).toEqual([200, 200, undefined, null]);
    expect(await noted()).toEqual([
      { action: "secret.resolve", lease: null },
      { action: "secret.resolve", lease: null },
    ]);
  });

  it.each(["env", "dotenv"])("has every form of a reply, as %s", async (format) => {
    const place = openPlace();
    const ask = () =>
      place.call(`POST /v1/resolve?format=${format}`, { token, json: { scopes: ["namespace:prod"] }, headers: { "Cache-Control": "max-age=60" } });
    const first = await ask();
    const strict = await place.call(`POST /v1/resolve?format=${format}`, { token, json: { scopes: ["namespace:prod"] } });
    const before = { ...place.asked };
    const second = await ask();
    expect(place.asked).toEqual(before);
    for (const reply of [first, second]) {
      expect(reply.text).toBe(strict.text);
      expect(reply.headers.get("Content-Type")).toBe(strict.headers.get("Content-Type"));
      expect(reply.headers.get("ETag")).toBe(strict.headers.get("ETag"));
    }
  });

  it("says 304 to whoever holds the answer already", async () => {
    const place = openPlace();
    const first = await place.resolve("KEY", 60, { token });
    const etag = first.headers.get("ETag") ?? "";
    const before = { ...place.asked };
    const second = await place.resolve("KEY", 60, { token, headers: { "If-None-Match": etag } });
    expect([second.status, second.text, second.headers.get("ETag")]).toEqual([304, "", etag]);
    expect(place.asked).toEqual(before);
  });

  it("lasts for LEASE_SECONDS at the most, and never where that is 0", async () => {
    const short = openPlace({ LEASE_SECONDS: "10" });
    expect((await short.resolve("KEY", 60, { token })).body.lease.expires_in).toBe(10);
    const never = openPlace({ LEASE_SECONDS: "0" });
    expect((await never.resolve("KEY", 60, { token })).body.lease).toBeUndefined();
  });

  it("ends with the token and with the first secret that expires", async () => {
    const place = openPlace();
    const brief = await sign({ org, exp: START / 1000 + 20 });
    expect((await place.resolve("KEY", 60, { token: brief })).body.lease.expires_in).toBe(20);
    await put("namespace:prod", "BRIEF", "x", { token, fields: { expires_at: new Date(START + 30_000).toISOString() } });
    expect((await place.resolve("BRIEF", 60, { token })).body.lease.expires_in).toBe(30);
    await pass(21);
    expect((await place.resolve("KEY", 60, { token: brief })).status).toBe(401);
    await pass(10);
    expect((await place.resolve("BRIEF", 60, { token })).status).toBe(410);
  });

  it("is for who asked, from where it asked, what it asked, and no older than it asked", async () => {
    const place = openPlace();
    const base = { token, headers: { "CF-Connecting-IP": "192.0.2.1", "User-Agent": "agent/1" } };
    await place.resolve("KEY", 60, base);
    expect(await isRepeat(place, () => place.resolve("KEY", 60, base))).toBe(true);
    const others = [
      { ...base, token: await sign({ org, sub: "another" }) },
      { ...base, headers: { ...base.headers, "CF-Connecting-IP": "192.0.2.2" } },
      { ...base, headers: { ...base.headers, "User-Agent": "agent/2" } },
      { ...base, headers: { ...base.headers, "CF-Worker": "another.example" } },
      { ...base, headers: { ...base.headers, "Content-Type": "text/plain" } },
    ];
    for (const other of others) expect(await isRepeat(place, () => place.resolve("KEY", 60, other))).toBe(false);
    await pass(4);
    expect(await isRepeat(place, () => place.resolve("KEY", 3, base))).toBe(false);
  });

  it("counts an IPv6 network of 64 bits as one place, and its event says so", async () => {
    const place = openPlace();
    const from = (address: string) => ({ token, headers: { "CF-Connecting-IP": address } });
    await place.resolve("KEY", 60, from("2001:db8:1:2:a::1"));
    expect(await isRepeat(place, () => place.resolve("KEY", 60, from("2001:db8:1:2:ffff::9")))).toBe(true);
    expect(await isRepeat(place, () => place.resolve("KEY", 60, from("2001:db8:1:3:a::1")))).toBe(false);
    const { events } = (await place.call("GET /v1/audit?action=secret.resolve", { token })).body;
    expect(events.map(({ ip }: { ip: string }) => ip)).toEqual(["2001:db8:1:3::/64", "2001:db8:1:2::/64"]);
  });

  it("is opened once by many who ask the same at the same time", async () => {
    const place = openPlace();
    const replies = await Promise.all(Array.from({ length: 20 }, () => place.resolve("KEY", 60, { token })));
    expect(new Set(replies.map(({ body }) => body.lease.id)).size).toBe(1);
    expect(await noted()).toHaveLength(1);
  });

  it("is renewed in the background while it is used, before it ends", async () => {
    const place = openPlace();
    const first = await place.resolve("KEY", 20, { token });
    for (let second = 0; second < 40; second += 2) {
      await pass(2);
      expect((await place.resolve("KEY", 20, { token })).body.value).toBe("first value");
      await vi.waitFor(() => undefined);
    }
    const opened = (await noted()).filter(({ action }) => action === "secret.resolve");
    expect(opened.length).toBeGreaterThanOrEqual(2);
    expect(opened.length).toBeLessThanOrEqual(4);
    expect(opened[0]?.lease?.id).toBe(first.body.lease.id);
  });
});

describe("a change elsewhere", () => {
  const changes: [string, (place: Place) => Promise<unknown>, status: number, value: string | undefined][] = [
    ["another value", () => put("namespace:prod", "KEY", "second value", { token }), 200, "second value"],
    ["a deletion", (place) => place.call("DELETE /v1/scopes/namespace%3Aprod/secrets/KEY", { token }), 404, undefined],
    ["a revoked token", (place) => place.call("DELETE /v1/tokens/it", { token }), 401, undefined],
  ];

  it.each(changes)("is seen within STALE_SECONDS: %s", async (name, change, status, value) => {
    const [here, there] = [openPlace(), openPlace()];
    const minted = await there.call("POST /v1/tokens", { token, json: { label: "ci", permissions: ["secrets:resolve"], expires_in: 3600 } });
    const mine = minted.body.token as string;
    await here.resolve("KEY", 60, { token: mine });
    await pass(1);
    expect(await isRepeat(here, () => here.resolve("KEY", 60, { token: mine }))).toBe(true);
    if (name === "a revoked token") expect((await there.call(`DELETE /v1/tokens/${minted.body.id}`, { token })).status).toBe(204);
    else await change(there);
    await pass(5);
    const after = await here.resolve("KEY", 60, { token: mine });
    expect([after.status, after.body.value]).toEqual([status, value]);
  });

  it("is seen at once in the place that made it", async () => {
    const place = openPlace();
    await place.resolve("KEY", 60, { token });
    await place.call("PUT /v1/scopes/namespace%3Aprod/secrets/KEY", { token, json: { value: "second value" } });
    expect((await place.resolve("KEY", 60, { token })).body.value).toBe("second value");
  });

  it("is seen when it is a narrower secret, a link of scopes, or what the platform gives everybody", async () => {
    const [here, there] = [openPlace(), openPlace()];
    const ask = (scope: string, name: string) =>
      here.call(`GET /v1/resolve/${name}?scope=${encodeURIComponent(scope)}`, { token, headers: { "Cache-Control": "max-age=60" } });
    const platform = await sign({ org: "platform" });
    await put("global", `BUILTIN_${count}`, "old", { token: platform });
    await put("global", "WIDE", "wide", { token });
    await put("team:red", "WIDE", "red", { token });
    expect((await ask("repo:acme/api", "WIDE")).body.value).toBe("wide");
    expect((await ask("global", `BUILTIN_${count}`)).body.value).toBe("old");
    await there.call("PUT /v1/scopes/repo%3Aacme%2Fapi", { token, json: { parent: "team:red" } });
    await put("global", `BUILTIN_${count}`, "new", { token: platform });
    await pass(5.1);
    expect((await ask("repo:acme/api", "WIDE")).body.value).toBe("red");
    expect((await ask("global", `BUILTIN_${count}`)).body.value).toBe("new");
    await put("repo:acme/api", "WIDE", "narrow", { token });
    await pass(5.1);
    expect((await ask("repo:acme/api", "WIDE")).body.value).toBe("narrow");
  });

  it("leaves under their event what it did not change", async () => {
    const [here, there] = [openPlace(), openPlace()];
    const first = await here.resolve("KEY", 60, { token });
    await there.call("PUT /v1/scopes/namespace%3Aprod/secrets/OTHER", { token, json: { value: "x" } });
    await pass(5.1);
    const second = await here.resolve("KEY", 60, { token });
    expect(second.body.lease.id).toBe(first.body.lease.id);
    expect(await isRepeat(here, () => here.resolve("KEY", 60, { token }))).toBe(true);
    expect((await noted()).filter(({ action }) => action === "secret.resolve")).toHaveLength(1);
  });

  it("of a description, another token or the scheduled run makes nobody ask again", async () => {
    const [here, there] = [openPlace(), openPlace()];
    await here.resolve("KEY", 60, { token });
    const epoch = () => env.DB.prepare("SELECT epoch FROM epochs WHERE org = ?").bind(org).first<string>("epoch");
    const before = await epoch();
    await there.call(`PATCH /v1/secrets/${id}`, { token, json: { description: "the key" } });
    const minted = await there.call("POST /v1/tokens", { token, json: { label: "ci", permissions: ["secrets:resolve"], expires_in: 3600 } });
    await there.call(`DELETE /v1/tokens/${minted.body.id}`, { token });
    vi.setSystemTime(START + 400_000);
    await runScheduled(env as never, new Date(), STILL);
    expect(await epoch()).toBe(before);
  });
});

describe("when D1 does not answer", () => {
  it("gives nothing again that is older than STALE_SECONDS", async () => {
    let broken = false;
    const db = new Proxy(env.DB, {
      get: (target, name) => {
        if (name === "batch" && broken) return () => Promise.reject(new Error("D1_ERROR: no connection"));
        const member = Reflect.get(target, name) as unknown;
        return typeof member === "function" ? member.bind(target) : member;
      },
    });
    const place = openPlace({ DB: db });
    await place.resolve("KEY", 60, { token });
    broken = true;
    await pass(4);
    expect((await place.resolve("KEY", 60, { token })).status).toBe(200);
    await pass(1.1);
    const late = await place.resolve("KEY", 60, { token });
    expect([late.status, late.body.code]).toEqual([503, "storage-unavailable"]);
    broken = false;
    expect((await place.resolve("KEY", 60, { token })).status).toBe(200);
  });

  it("counts a late answer from when it was asked for", async () => {
    let delay = 0;
    const db = new Proxy(env.DB, {
      get: (target, name) => {
        const member = Reflect.get(target, name) as unknown;
        if (typeof member !== "function") return member;
        if (name !== "batch" || delay === 0) return member.bind(target);
        return async (statements: D1PreparedStatement[]) => {
          const result = await target.batch(statements);
          await new Promise((resolve) => setTimeout(resolve, delay));
          return result;
        };
      },
    });
    const [here, there] = [openPlace({ DB: db }), openPlace()];
    await here.resolve("KEY", 60, { token });
    delay = 4_000;
    await pass(3);
    // Sent at 3 seconds, it comes at 7, and says how it was at 3.
    expect((await here.resolve("KEY", 60, { token })).body.value).toBe("first value");
    await put("namespace:prod", "KEY", "second value", { token });
    await pass(4.5);
    delay = 0;
    expect((await here.resolve("KEY", 60, { token })).body.value).toBe("first value");
    await pass(0.6);
    expect((await here.resolve("KEY", 60, { token })).body.value).toBe("second value");
    expect(there.asked.d1).toBe(0);
  });
});

describe("the uses of a lease", () => {
  it("are in the log within 20 seconds, and the last count when nobody comes any more", async () => {
    const place = openPlace();
    const { body } = await place.resolve("KEY", 60, { token });
    for (let n = 0; n < 5; n += 1) await place.resolve("KEY", 60, { token });
    await pass(20);
    await place.settle();
    expect(await noted()).toEqual([
      { action: "secret.resolve", lease: expect.objectContaining({ id: body.lease.id }) },
      { action: "secret.resolve.uses", lease: { id: body.lease.id, uses: 5, final: true } },
    ]);
    const { results } = await env.DB.prepare("SELECT * FROM open_leases WHERE org = ?").bind(org).all();
    expect(results).toEqual([]);
  });

  it("are counted up while it is used, at the latest every 20 seconds", async () => {
    const place = openPlace();
    await place.resolve("KEY", 300, { token });
    let uses = 0;
    for (let second = 1; second <= 58; second += 1) {
      await pass(1);
      await place.resolve("KEY", 300, { token });
      uses += 1;
    }
    const counts = (await noted()).flatMap(({ action, lease }) => (action === "secret.resolve.uses" ? [lease?.uses ?? 0] : []));
    expect(counts.length).toBeGreaterThanOrEqual(2);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    await pass(30);
    await place.settle();
    const last = new Map((await noted()).flatMap(({ lease }) => (lease?.uses === undefined ? [] : [[lease.id, lease] as const])));
    expect([...last.values()].every(({ final }) => final)).toBe(true);
    expect([...last.values()].reduce((total, lease) => total + (lease.uses ?? 0), 0)).toBe(uses);
  });

  it("say how often at least and at the most where the place was lost before it could say", async () => {
    const place = openPlace();
    const { body } = await place.resolve("KEY", 60, { token });
    for (let n = 0; n < 3; n += 1) await place.resolve("KEY", 60, { token });
    // Nothing of what it left behind ever runs.
    vi.clearAllTimers();
    vi.setSystemTime(START + 60_000 + 119_000);
    await runScheduled(env as never, new Date(), STILL);
    expect((await noted()).map(({ action }) => action)).toEqual(["secret.resolve"]);
    vi.setSystemTime(START + 60_000 + 120_000);
    await runScheduled(env as never, new Date(), STILL);
    await runScheduled(env as never, new Date(), STILL);
    expect((await noted()).slice(1)).toEqual([{ action: "lease.unsettled", lease: { id: body.lease.id, max_uses: 10_000, uses: 0 } }]);
  });

  it("are shown and sealed like any event", async () => {
    const place = openPlace();
    const { body } = await place.resolve("KEY", 60, { token });
    await place.resolve("KEY", 60, { token });
    await pass(20);
    await place.settle();
    const { events } = (await place.call("GET /v1/audit", { token })).body;
    expect(events[0]).toMatchObject({
      version: 6,
      action: "secret.resolve.uses",
      actor: "tester",
      secrets: [{ id, name: "KEY", scope: "namespace:prod", version: 1 }],
      lease: { id: body.lease.id, uses: 1, final: true },
    });
    expect(events[1]).toMatchObject({ version: 6, action: "secret.resolve", lease: { id: body.lease.id, until: body.lease.until, max_uses: 10_000 } });
    await runScheduled(env as never, new Date(), STILL);
    expect((await place.call("GET /v1/audit/verify", { token })).body).toMatchObject({ ok: true, checked: 3, unsealed: 0 });
  });
});

describe("a token with lease_seconds", () => {
  /** A place, and a request of a token that asks for leases of so many seconds. */
  async function poller(lease_seconds: number, vars: Parameters<typeof openPlace>[0] = {}) {
    const place = openPlace(vars);
    const polling = await sign({ org, lease_seconds });
    const ask = (headers: Record<string, string> = {}) => place.call("GET /v1/resolve/KEY?scope=namespace:prod", { token: polling, headers });
    return { place, polling, ask };
  }

  it("is answered without Cache-Control as with max-age: once by D1, and then from memory until it is older than that", async () => {
    const { place, ask } = await poller(20);
    const first = await ask();
    expect(first.body).toMatchObject({ value: "first value", lease: { expires_in: 20 } });
    await pass(2);
    expect(await isRepeat(place, ask)).toBe(true);
    expect((await ask()).headers.get("Age")).toBe("2");
    await pass(19);
    const later = await ask();
    expect([later.headers.get("Age"), later.body.lease.id === first.body.lease.id]).toEqual(["0", false]);
    expect((await noted()).filter(({ action }) => action === "secret.resolve")).toHaveLength(2);
  });

  it("holds for POST, and is no older than it says where another request of the same token opened a longer lease", async () => {
    const { place, polling } = await poller(2);
    const json = { scopes: ["namespace:prod"], names: ["KEY"] };
    const ask = (headers: Record<string, string> = {}) => place.call("POST /v1/resolve", { token: polling, json, headers });
    expect((await ask({ "Cache-Control": "max-age=60" })).body.lease.expires_in).toBe(60);
    await pass(2);
    expect(await isRepeat(place, ask)).toBe(true);
    await pass(1);
    expect(await isRepeat(place, ask)).toBe(false);
  });

  it.each([
    { "Cache-Control": "no-cache" },
    { "Cache-Control": "no-store" },
    { "Cache-Control": "max-age=0" },
    { "Cache-Control": "" },
    { Pragma: "no-cache" },
    { Range: "bytes=0-1" },
  ])("is answered strictly where the request says %o", async (headers) => {
    const { place, ask } = await poller(60);
    await ask();
    const { body } = await ask();
    expect(body.lease).toBeDefined();
    expect(await isRepeat(place, () => ask(headers))).toBe(false);
    expect((await ask(headers)).body.lease).toBeUndefined();
  });

  it("asks for what the request says, where that is another number", async () => {
    const { ask } = await poller(60);
    expect((await ask({ "Cache-Control": "max-age=7" })).body.lease.expires_in).toBe(7);
  });

  it("gets no more than LEASE_SECONDS, its own end and the secret's max_lease_seconds allow", async () => {
    expect((await (await poller(300, { LEASE_SECONDS: "10" })).ask()).body.lease.expires_in).toBe(10);
    expect((await (await poller(300, { LEASE_SECONDS: "0" })).ask()).body.lease).toBeUndefined();
    const place = openPlace();
    const brief = await sign({ org, lease_seconds: 60, exp: START / 1000 + 8 });
    expect((await place.call("GET /v1/resolve/KEY?scope=namespace:prod", { token: brief })).body.lease.expires_in).toBe(8);
    await put("namespace:prod", "KEY", "first value", { token, fields: { max_lease_seconds: 3 } });
    expect((await (await poller(60)).ask()).body.lease.expires_in).toBe(3);
  });

  it("of 0, of too many or of no number asks for none, and one that nobody signed gets nothing", async () => {
    expect((await (await poller(0)).ask()).body.lease).toBeUndefined();
    for (const seconds of [301, -1, 1.5]) expect((await (await poller(seconds)).ask()).status).toBe(401);
    const { place, polling, ask } = await poller(60);
    await ask();
    const [header, , signature] = polling.split(".");
    const bent = [header, btoa(JSON.stringify({ iss: "keyhole", lease_seconds: 300 })).replace(/=+$/, ""), signature].join(".");
    for (const forged of [bent, `${header}.e30.${signature}`, `${header}.!.${signature}`, "a.b", "x"])
      expect((await place.call("GET /v1/resolve/KEY?scope=namespace:prod", { token: forged })).status).toBe(401);
  });

  it("ends with the token's revocation, as any lease", async () => {
    const place = openPlace();
    const minting = { label: "poller", permissions: ["secrets:resolve"], expires_in: 600, lease_seconds: 60 };
    const { id: minted, token: polling } = (await place.call("POST /v1/tokens", { token, json: minting })).body;
    const ask = () => place.call("GET /v1/resolve/KEY?scope=namespace:prod", { token: polling });
    expect((await ask()).body.lease.expires_in).toBe(60);
    expect(await isRepeat(place, ask)).toBe(true);
    await place.call(`DELETE /v1/tokens/${minted}`, { token });
    expect((await ask()).status).toBe(401);
  });
});

describe("a service binding", () => {
  it("leases by maxAge as a request does by Cache-Control", async () => {
    const { Resolver } = await import("../../src/worker/resolver.ts");
    const asked = { n: 0 };
    const db = new Proxy(env.DB, {
      get: (target, name) => {
        if (name === "batch") asked.n += 1;
        const member = Reflect.get(target, name) as unknown;
        return typeof member === "function" ? member.bind(target) : member;
      },
    });
    const vars = { ...env, DB: db };
    const resolver = (more: object = {}) => {
      const context = Object.assign(createExecutionContext(), { props: { org, name: "gateway", ...more } });
      return new Resolver(context as never, vars as never);
    };
    const request = { scopes: ["namespace:prod"], names: ["KEY"] };
    const first = await resolver().resolve(request, { maxAge: 60 });
    expect(first).toMatchObject({ ok: true, secrets: { KEY: { value: "first value" } }, lease: { expires_in: 60 } });
    const before = asked.n;
    expect(await resolver().resolve(request, { maxAge: 60 })).toEqual(first);
    expect(asked.n).toBe(before);
    expect(await resolver().resolve(request)).not.toHaveProperty("lease");
    expect(asked.n).toBe(before + 1);
    const leased = { lease_seconds: 30 };
    expect(await resolver(leased).resolve(request)).toMatchObject({ lease: { expires_in: 30 } });
    const after = asked.n;
    expect(await resolver(leased).resolve(request)).toMatchObject({ lease: { expires_in: 30 } });
    expect(asked.n).toBe(after);
    expect(await resolver(leased).resolve(request, { maxAge: 0 })).not.toHaveProperty("lease");
    expect(await resolver({ lease_seconds: 301 }).resolve(request)).toMatchObject({ ok: false, problem: { code: "unauthenticated" } });
  });
});
