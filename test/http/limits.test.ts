import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createApp } from "../../src/worker/http/app.ts";
import { at, put, type Reply } from "../support/call.ts";
import { callWith } from "../support/call-with.ts";
import { exchange, githubClaims, githubTrust } from "../support/exchange.ts";
import { startIssuer } from "../support/issuer.ts";
import { mint } from "../support/mint.ts";
import { sign } from "../support/sign.ts";

/** A rate limit that lets `limit` requests of each key through, and remembers the keys. */
function rateLimit(limit: number) {
  const keys: string[] = [];
  const counted = new Map<string, number>();
  const binding = {
    async limit({ key }: { key: string }) {
      keys.push(key);
      counted.set(key, (counted.get(key) ?? 0) + 1);
      return { success: (counted.get(key) ?? 0) <= limit };
    },
  };
  return { binding, keys };
}

function expectHeldUp({ status, body, headers }: Reply, after = "10"): void {
  expect([status, body.code, headers.get("Retry-After"), headers.get("Content-Type")]).toEqual([429, "rate-limited", after, "application/problem+json"]);
}

const from = (address: string) => ({ headers: { "CF-Connecting-IP": address } });

beforeAll(() => put("global", "LIMITED", "limited-value"));

describe("RESOLVE_LIMIT", () => {
  it("holds up one token that resolves too often, by every route, and no other", async () => {
    const { binding, keys } = rateLimit(2);
    const call = callWith({ RESOLVE_LIMIT: binding });
    const busy = await sign({ jti: "tok_busy" });
    const resolve = (token: string) => call("POST /v1/resolve", { token, json: { names: ["LIMITED"] } });
    expect((await resolve(busy)).status).toBe(200);
    expect((await call("GET /v1/resolve/LIMITED", { token: busy })).status).toBe(200);
    const held = [await resolve(busy), await call("GET /v1/resolve/LIMITED?format=raw", { token: busy })];
    for (const reply of held) {
      expectHeldUp(reply);
      expect(reply.text).not.toContain("limited-value");
    }
    expect((await resolve(await sign({ jti: "tok_other" }))).status).toBe(200);
    expect((await resolve(await sign({ jti: "tok_busy", org: "other" }))).status, "another organization's token of the same id").toBe(404);
    expect(new Set(keys)).toEqual(new Set(["acme/tok_busy", "acme/tok_other", "other/tok_busy"]));
  });

  it("does not count what is no resolve, nor who is not authenticated", async () => {
    const { binding, keys } = rateLimit(0);
    const call = callWith({ RESOLVE_LIMIT: binding });
    for (const request of ["GET /v1/secrets", "GET /v1/explain/LIMITED", `GET ${at("global", "LIMITED")}`]) expect((await call(request)).status).toBe(200);
    expect((await call("GET /v1/resolve/LIMITED", { token: "a.b.c" })).status).toBe(401);
    expect(keys).toEqual([]);
  });

  it("leaves nothing on record and releases nothing when it holds somebody up", async () => {
    const token = { org: "held" };
    await callWith({ RESOLVE_LIMIT: rateLimit(0).binding })("POST /v1/resolve", { token, json: {} });
    expect(await env.DB.prepare("SELECT COUNT(*) AS n FROM audit_events WHERE org = 'held'").first("n")).toBe(0);
  });
});

describe("FAILURE_LIMIT", () => {
  it("holds up an address that fails to authenticate too often, and no valid token from there", async () => {
    const { binding, keys } = rateLimit(3);
    const call = callWith({ FAILURE_LIMIT: binding });
    const fail = (address: string) => call("GET /v1/secrets", { token: "a.b.c", ...from(address) });
    for (let n = 0; n < 3; n++) expect((await fail("192.0.2.1")).status).toBe(401);
    expectHeldUp(await fail("192.0.2.1"));
    expect((await fail("192.0.2.2")).status).toBe(401);
    for (let n = 0; n < 5; n++) expect((await call("GET /v1/secrets", from("192.0.2.1"))).status).toBe(200);
    expectHeldUp(await fail("192.0.2.1"));
    expect(new Set(keys)).toEqual(new Set(["192.0.2.1", "192.0.2.2"]));
    expect(keys).toHaveLength(6);
  });

  it("counts a revoked token, and no refusal of a valid one", async () => {
    const { binding, keys } = rateLimit(0);
    const call = callWith({ FAILURE_LIMIT: binding });
    const { id, token } = await mint();
    expect((await call("GET /v1/secrets", { token: { scope: "" }, ...from("192.0.2.3") })).status).toBe(403);
    expect(keys).toEqual([]);
    await call(`DELETE /v1/tokens/${id}`);
    expectHeldUp(await call("GET /v1/secrets", { token, ...from("192.0.2.3") }));
  });

  it("counts identity tokens that are refused, and none that is exchanged", async () => {
    const { binding, keys } = rateLimit(1);
    const call = callWith({ FAILURE_LIMIT: binding, ALLOW_INSECURE_ISSUERS: "true" });
    const issuer = await startIssuer();
    await call("PUT /v1/trusts/github", { json: { ...githubTrust(issuer.url), expires_in: 60 } });
    const calm: typeof call = (request, options) => call(request, { ...options, headers: { ...options?.headers, ...from("192.0.2.4").headers } });
    expect((await exchange(await issuer.sign(githubClaims(issuer.url)), {}, calm)).status).toBe(200);
    expect(keys).toEqual([]);
    expect((await exchange("a.b.c", {}, calm)).status).toBe(400);
    const { status, body, headers } = await exchange("a.b.c", {}, calm);
    expect([status, body.error, headers.get("Retry-After")]).toEqual([429, "temporarily_unavailable", "10"]);
    expect((await exchange(await issuer.sign(githubClaims(issuer.url)), {}, calm)).status).toBe(200);
  });
});

describe("a rate limit", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    vi.spyOn(console, "error").mockReturnValue();
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it("that fails, or does not answer, holds nobody up", async () => {
    const failing = { limit: () => Promise.reject(new Error("down")) };
    expect((await callWith({ RESOLVE_LIMIT: failing })("GET /v1/resolve/LIMITED")).status).toBe(200);
    expect((await callWith({ FAILURE_LIMIT: failing })("GET /v1/secrets", { token: "a.b.c", ...from("192.0.2.5") })).status).toBe(401);
    const asked = Promise.withResolvers<void>();
    const hanging = {
      limit() {
        asked.resolve();
        return new Promise(() => {});
      },
    };
    const reply = callWith({ RESOLVE_LIMIT: hanging })("GET /v1/resolve/LIMITED");
    await asked.promise;
    await vi.advanceTimersByTimeAsync(1_000);
    expect((await reply).status).toBe(200);
  });

  it("that is not bound is none", async () => {
    expect((await callWith({ RESOLVE_LIMIT: undefined })("GET /v1/resolve/LIMITED")).status).toBe(200);
    expect((await callWith({ FAILURE_LIMIT: undefined })("GET /v1/secrets", { token: null })).status).toBe(401);
  });
});

describe("a body that would go on for ever", () => {
  /** An endless body, and how much of it was taken. */
  function endless() {
    const taken = { bytes: 0 };
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        taken.bytes += 65_536;
        if (taken.bytes > 64 * 1_048_576) controller.error(new Error("it was read and read"));
        else controller.enqueue(new Uint8Array(65_536).fill(97));
      },
    });
    return { stream, taken };
  }

  it.each([
    [`PUT ${at("global", "ENDLESS")}`, "text/plain", 1_048_576],
    [`PUT ${at("global", "ENDLESS")}`, "application/octet-stream", 1_048_576],
    [`PUT ${at("global", "ENDLESS")}`, "application/json", 1_048_576],
    ["POST /v1/import?scope=global", "text/plain", 1_048_576],
    ["POST /v1/resolve", "application/json", 1_048_576],
    ["POST /oauth/token", "application/x-www-form-urlencoded", 65_536],
  ])("is cut at its limit while it is read: %s as %s", async (request, contentType, limit) => {
    const [method = "", path] = request.split(" ");
    const { stream, taken } = endless();
    const asked = new Request(`https://keyhole.test${path}`, {
      method,
      headers: { Authorization: `Bearer ${await sign()}`, "Content-Type": contentType },
      body: stream,
      duplex: "half",
    } as RequestInit);
    const reply = await createApp().fetch(asked, env, createExecutionContext());
    expect(reply.status).toBe(413);
    expect(taken.bytes).toBeLessThan(limit + 4 * 65_536);
  });

  it("is not read at all without a valid token", async () => {
    const { stream, taken } = endless();
    const headers = { Authorization: "Bearer a.b.c", "Content-Type": "text/plain" };
    const asked = new Request("https://keyhole.test/v1/import?scope=global", { method: "POST", headers, body: stream, duplex: "half" } as RequestInit);
    expect((await createApp().fetch(asked, env, createExecutionContext())).status).toBe(401);
    expect(taken.bytes).toBeLessThan(4 * 65_536);
  });
});

describe("what an isolate takes of one caller", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2026-11-26T12:00:00.000Z") });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** How many of so many requests are answered with 429. */
  async function heldUp(count: number, ask: (n: number) => Promise<Reply>): Promise<number> {
    let held = 0;
    for (let n = 0; n < count; n++) if ((await ask(n)).status === 429) held++;
    return held;
  }

  it("holds up an address that asks again and again whether the Worker is ready, all of one /64 together, and no other", async () => {
    const call = callWith({});
    const ready = (address: string) => call("GET /readyz", { token: null, ...from(address) });
    expect(await heldUp(40, (n) => ready(`2001:db8:1:2::${n.toString(16)}`))).toBe(10);
    expect((await ready("2001:db8:1:3::1")).status).toBe(200);
    expect((await call("GET /readyz", from("2001:db8:1:2::1"))).status).toBe(200);
    vi.setSystemTime(Date.now() + 1_000);
    expect((await ready("2001:db8:1:2::1")).status).toBe(200);
  });

  it("holds up a token, and then not another one of its organization; an address, and then not another one", async () => {
    const call = callWith({});
    const [busy, other] = [await sign({ jti: "tok_one" }), await sign({ jti: "tok_two" })];
    // A route that is not there costs the least.
    expect(await heldUp(5_010, () => call("GET /v1/nothing", { token: busy, ...from("192.0.2.20") }))).toBe(10);
    expect((await call("GET /v1/whoami", { token: other, ...from("192.0.2.21") })).status).toBe(200);
    expectHeldUp(await call("GET /v1/whoami", { token: other, ...from("192.0.2.20") }), "1");
    expectHeldUp(await call("GET /v1/whoami", { token: busy, ...from("192.0.2.21") }), "1");
  });
});
