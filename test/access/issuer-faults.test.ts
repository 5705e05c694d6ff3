import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { callInsecure as call, exchange, githubClaims, githubTrust, REFUSED } from "../support/exchange.ts";
import { type Issuer, makeKey, publish, startIssuer, timesAsked } from "../support/issuer.ts";

const START = Date.parse("2026-11-21T12:00:00Z");

let issuer: Issuer;
const OTHER_KEY = { kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", kid: "other" };

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

  it("may be rotated: a new kid is looked for at once, and then not for ten seconds, in which the answer is 503 and not 400", async () => {
    await attempt();
    const [next, third] = [await makeKey(), await makeKey()];
    await issuer.publishKeys([next.publicJwk]);
    expect((await attempt({ key: next })).status).toBe(200);
    await unavailable();
    await issuer.publishKeys([next.publicJwk, third.publicJwk]);
    const early = await attempt({ key: third });
    expect([early.status, early.headers.get("Retry-After")]).toEqual([503, "10"]);
    expect(await timesAsked(issuer.jwksUrl)).toBe(2);
    vi.setSystemTime(START + 10_000);
    expect((await attempt({ key: third })).status).toBe(200);
    expect((await attempt()).status).toBe(503);
    vi.setSystemTime(START + 20_000);
    expect(await attempt()).toMatchObject({ status: 400, body: REFUSED });
    expect(await timesAsked(issuer.jwksUrl)).toBe(4);
  });

  it("are all tried that fit a token which names none", async () => {
    const [one, other, unknown] = [await makeKey(), await makeKey(), await makeKey()];
    await issuer.publishKeys([(await makeKey("RS256")).publicJwk, one.publicJwk, { ...other.publicJwk, kid: undefined } as never]);
    const header = { kid: undefined };
    const statuses = [one, other, unknown].map(async (key) => (await attempt({ key, header })).status);
    expect(await Promise.all(statuses)).toEqual([200, 200, 400]);
  });

  it("may be for JWTs of SPIFFE, and are not when they are for certificates", async () => {
    const [jwt, x509] = [await makeKey(), await makeKey()];
    await issuer.publishKeys([
      { ...jwt.publicJwk, use: "jwt-svid" },
      { ...x509.publicJwk, use: "x509-svid" },
    ]);
    expect((await attempt({ key: jwt })).status).toBe(200);
    expect(await attempt({ key: x509 })).toMatchObject({ status: 400, body: REFUSED });
  });

  it("are not fetched more than once more for a hundred made-up kids at once", async () => {
    await attempt();
    const attacker = await makeKey();
    vi.setSystemTime(START + 120_000);
    const replies = await Promise.all(Array.from({ length: 100 }, (_, n) => attempt({ key: { ...attacker, kid: `made-up-${n}` } })));
    expect(replies.map(({ status }) => status).sort()).toEqual([400, ...Array(99).fill(503)]);
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

describe("what one organization trusts", () => {
  const globex = { org: "globex" };
  const trusted = (trust: object) => call("PUT /v1/trusts/near", { token: globex, json: { ...githubTrust(issuer.url), ...trust } });
  const tried = async (iss: string) => exchange(await issuer.sign({ ...githubClaims(issuer.url), iss }), { audience: "globex/near" });

  it.each<[string, (url: string) => object, (url: string) => string, number]>([
    ["the same issuer with a slash", (url) => ({ issuer: `${url}/` }), (url) => `${url}/`, 503],
    ["the same keys under an issuer of its own", (url) => ({ issuer: `${url}/own`, jwks_url: `${url}/jwks` }), (url) => `${url}/own`, 200],
    ["the same issuer with keys that are none", (url) => ({ jwks_url: `${url}/.well-known/openid-configuration` }), (url) => url, 503],
    ["the same issuer with keys that are not there", (url) => ({ jwks_url: `${url}/nowhere` }), (url) => url, 503],
    ["the same issuer with keys of its own", () => ({ jwks: { keys: [OTHER_KEY] } }), (url) => url, 400],
  ])("fails nobody else: %s", async (_, trust, iss, status) => {
    expect((await trusted(trust(issuer.url))).status).toBeLessThan(300);
    for (let n = 0; n < 15; n++) {
      expect((await tried(iss(issuer.url))).status).toBe(status);
      expect((await attempt()).status).toBe(200);
    }
  });

  it("and whose documents cannot be used is asked for them once a second, not with each request", async () => {
    await publish(issuer.discoveryUrl, { body: "{}" });
    for (let n = 0; n < 5; n++) await unavailable();
    expect(await timesAsked(issuer.discoveryUrl)).toBe(1);
    vi.setSystemTime(START + 1_000);
    await unavailable();
    expect(await timesAsked(issuer.discoveryUrl)).toBe(2);
  });
});

describe("keys that the trust gives", () => {
  it("are an address, for an issuer whose configuration the internet cannot see", async () => {
    const hidden = "https://kubernetes.default.svc.cluster.local";
    const trust = { ...githubTrust(hidden), jwks_url: issuer.jwksUrl };
    expect((await call("PUT /v1/trusts/hidden", { json: trust })).body).toMatchObject({ issuer: hidden, jwks_url: issuer.jwksUrl, jwks: null });
    expect((await exchange(await issuer.sign(githubClaims(hidden)), { audience: "acme/hidden" })).status).toBe(200);
  });

  it("are the keys themselves, and then nobody is asked", async () => {
    const jwks = { keys: [issuer.key.publicJwk] };
    expect((await call("PUT /v1/trusts/given", { json: { ...githubTrust("spiffe-less name"), jwks } })).status).toBe(400);
    expect((await call("PUT /v1/trusts/given", { json: { ...githubTrust("urn:cluster:one"), jwks } })).body).toMatchObject({ jwks });
    const spy = vi.spyOn(globalThis, "fetch");
    expect((await exchange(await issuer.sign(githubClaims("urn:cluster:one")), { audience: "acme/given" })).status).toBe(200);
    expect(await exchange(await issuer.sign(githubClaims("urn:cluster:one"), { key: await makeKey() }), { audience: "acme/given" })).toMatchObject({
      status: 400,
    });
    expect(spy).not.toHaveBeenCalled();
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
