import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { callInsecure as call, exchange, githubClaims, githubTrust, REFUSED } from "../support/exchange.ts";
import { type Issuer, makeKey, publish, startIssuer, timesAsked } from "../support/issuer.ts";

const START = Date.parse("2026-11-21T12:00:00Z");

let issuer: Issuer;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: START });
  issuer = await startIssuer();
  await call("PUT /v1/trusts/github", { json: githubTrust(issuer.url) });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const attempt = async (options?: Parameters<Issuer["sign"]>[1]) => exchange(await issuer.sign(githubClaims(issuer.url), options));

async function unavailable(): Promise<void> {
  const reply = await attempt();
  expect(reply).toMatchObject({ status: 503, body: { error: "temporarily_unavailable" } });
  expect(reply.headers.get("Retry-After")).toBe("10");
}

describe("a document that cannot be used", () => {
  const large = JSON.stringify({ keys: [], padding: "x".repeat(300_000) });

  it.each([
    ["missing", { status: 404 }],
    ["an error", { status: 500, body: "{}" }],
    ["empty", { body: "" }],
    ["no JSON", { body: "<html>" }],
    ["JSON of another kind", { body: "[]" }],
    ["null", { body: "null" }],
    ["larger than 256 KiB", { body: large }],
    ["larger than 256 KiB without saying so", { body: large, headers: { "Transfer-Encoding": "chunked" } }],
  ])("is %s: 503 with Retry-After, whether the configuration or the keys", async (_, document) => {
    await publish(issuer.jwksUrl, document);
    await unavailable();
    await publish(issuer.discoveryUrl, document);
    vi.setSystemTime(START + 600_000);
    await unavailable();
  });

  it.each([301, 302, 303, 307, 308])("is behind a redirect with %i, which is not followed", async (status) => {
    const elsewhere = await startIssuer();
    await publish(issuer.jwksUrl, { status, headers: { Location: elsewhere.jwksUrl } });
    await unavailable();
    await publish(issuer.discoveryUrl, { status, headers: { Location: elsewhere.discoveryUrl } });
    vi.setSystemTime(START + 600_000);
    await unavailable();
    expect(await timesAsked(elsewhere.jwksUrl)).toBe(0);
    expect(await timesAsked(elsewhere.discoveryUrl)).toBe(0);
  });

  it.each([
    ["is another issuer's", (url: string) => ({ issuer: `${url}/other`, jwks_uri: `${url}/jwks` })],
    ["differs by a slash", (url: string) => ({ issuer: `${url}/`, jwks_uri: `${url}/jwks` })],
    ["names no issuer", (url: string) => ({ jwks_uri: `${url}/jwks` })],
    ["names no keys", (url: string) => ({ issuer: url })],
    ["names keys at no address", (url: string) => ({ issuer: url, jwks_uri: "jwks" })],
  ])("is a configuration that %s", async (_, configuration) => {
    await publish(issuer.discoveryUrl, { body: JSON.stringify(configuration(issuer.url)) });
    await unavailable();
    expect(await timesAsked(issuer.jwksUrl)).toBe(0);
  });

  it("is given up after five seconds", async () => {
    const asked: number[] = [];
    const timeout = AbortSignal.timeout.bind(AbortSignal);
    vi.spyOn(AbortSignal, "timeout").mockImplementation((milliseconds) => {
      asked.push(milliseconds);
      return timeout(20);
    });
    await publish(issuer.discoveryUrl, { delay: 60_000 });
    await unavailable();
    expect(asked).toEqual([5000]);
  });

  it("is not asked for again for ten seconds, however many ask", async () => {
    await publish(issuer.discoveryUrl, { status: 500 });
    for (let n = 0; n < 10; n++) await unavailable();
    expect(await timesAsked(issuer.discoveryUrl)).toBe(1);
    vi.setSystemTime(START + 10_000);
    await unavailable();
    expect(await timesAsked(issuer.discoveryUrl)).toBe(2);
  });
});

describe("the issuer's keys", () => {
  it("are fetched once and kept for ten minutes", async () => {
    for (let n = 0; n < 5; n++) expect((await attempt()).status).toBe(200);
    expect([await timesAsked(issuer.discoveryUrl), await timesAsked(issuer.jwksUrl)]).toEqual([1, 1]);
    vi.setSystemTime(START + 600_000);
    expect((await attempt()).status).toBe(200);
    expect([await timesAsked(issuer.discoveryUrl), await timesAsked(issuer.jwksUrl)]).toEqual([2, 2]);
  });

  it("may be rotated: a new kid is looked for once the cooldown of a minute is over", async () => {
    await attempt();
    const next = await makeKey();
    await issuer.publishKeys([next.publicJwk]);
    expect(await attempt({ key: next })).toMatchObject({ status: 400, body: REFUSED });
    vi.setSystemTime(START + 60_000);
    expect((await attempt({ key: next })).status).toBe(200);
    expect((await attempt()).status).toBe(400);
    expect(await timesAsked(issuer.jwksUrl)).toBe(2);
  });

  it("are not fetched more than once more for a hundred made-up kids at once", async () => {
    await attempt();
    const attacker = await makeKey();
    vi.setSystemTime(START + 120_000);
    const replies = await Promise.all(Array.from({ length: 100 }, (_, n) => attempt({ key: { ...attacker, kid: `made-up-${n}` } })));
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([400]));
    for (let n = 0; n < 20; n++) await attempt({ key: { ...attacker, kid: `later-${n}` } });
    expect(await timesAsked(issuer.jwksUrl)).toBe(2);
    expect((await attempt()).status).toBe(200);
  });

  it("stay in use while a made-up kid finds the issuer down", async () => {
    await attempt();
    await publish(issuer.jwksUrl, { status: 500 });
    vi.setSystemTime(START + 120_000);
    expect((await attempt({ key: await makeKey() })).status).toBe(503);
    expect((await attempt()).status).toBe(200);
  });

  it("are not asked for by a token of another issuer or without a trust", async () => {
    await exchange(await issuer.sign({ ...githubClaims(issuer.url), iss: "https://other.example.com" }));
    await exchange(await issuer.sign(githubClaims(issuer.url)), { audience: "acme/nope" });
    expect([await timesAsked(issuer.discoveryUrl), await timesAsked(issuer.jwksUrl)]).toEqual([0, 0]);
  });
});

it("gives nothing when the trust is deleted or replaced while the issuer is being asked", async () => {
  for (const change of ["DELETE", "PUT"]) {
    await call("PUT /v1/trusts/race", { json: githubTrust(issuer.url) });
    vi.setSystemTime(Date.now() + 700_000);
    const real = globalThis.fetch;
    const spy = vi.spyOn(globalThis, "fetch").mockImplementation(async (...request) => {
      spy.mockRestore();
      const json = change === "PUT" ? { json: { ...githubTrust(issuer.url), permissions: ["secrets:read"] } } : {};
      vi.setSystemTime(Date.now() + 1);
      expect((await call(`${change} /v1/trusts/race`, json)).status).toBeLessThan(300);
      return real(...request);
    });
    expect(await exchange(await issuer.sign(githubClaims(issuer.url)), { audience: "acme/race" })).toMatchObject({ status: 400, body: REFUSED });
  }
});
