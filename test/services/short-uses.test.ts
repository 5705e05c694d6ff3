import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { markOfToken, rememberToken, tokenAtHand } from "../../src/worker/access/known-tokens.ts";
import type { TokenFacts } from "../../src/worker/access/verify-token.ts";
import { openPlace, type Place } from "../leases/place.ts";
import type { CallOptions, Reply } from "../support/call.ts";
import { sign } from "../support/sign.ts";
import { asked, definition, replying, VALUE } from "./upstream.ts";

const START = Date.parse("2026-11-28T12:00:00.000Z");
const MACHINE = { ALLOW_INSECURE_ORIGINS: "true" };
const HIDDEN = "*".repeat(VALUE.length);
let org = "";
let token = "";
let place: Place;
let elsewhere: Place;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: START });
  org = `short-${crypto.randomUUID().slice(0, 8)}`;
  token = await sign({ org });
  place = openPlace(MACHINE);
  elsewhere = openPlace(MACHINE);
  await elsewhere.call("PUT /v1/scopes/global/secrets/API_KEY", { token, json: { value: VALUE, hosts: ["127.0.0.1"] } });
  await elsewhere.call("PUT /v1/services/api", { token, json: { ...definition(), audit: "lease" } });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await pass(100);
  await place.settle();
  await elsewhere.settle();
  vi.useRealTimers();
});

const pass = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000);
const use = (request: string, options: CallOptions = {}, at: Place = place) => at.call(request.replace(" ", " /use/api"), { token, ...options });

/** Makes a call, and tells how many signatures were verified for it. */
async function verifying(call: () => Promise<Reply>): Promise<{ reply: Reply; verified: number }> {
  const verify = vi.spyOn(crypto.subtle, "verify");
  const reply = await call();
  const verified = verify.mock.calls.filter(([algorithm]) => JSON.stringify(algorithm).includes("Ed25519")).length;
  verify.mockRestore();
  return { reply, verified };
}

/** What a reply is, but for what is another thing each time. */
function shape({ status, headers, text }: Reply): unknown {
  const said = [...headers].map(([name, value]) => [name, name === "x-request-id" || name === "date" ? "" : value]);
  return { status, said, text: text.replaceAll(/req_[0-9a-f]{32}/g, "req") };
}

describe("a use under a lease that is at hand", () => {
  beforeEach(async () => {
    expect((await verifying(() => use("GET /echo/x"))).verified).toBeGreaterThan(0);
  });

  it("has no signature verified and asks nobody, and what was put in does not come back", async () => {
    const before = { ...place.asked };
    const { reply, verified } = await verifying(() => use("GET /echo/x"));
    expect(verified).toBe(0);
    expect(place.asked).toEqual(before);
    expect(asked(reply).headers.authorization).toBe(`Bearer ${HIDDEN}`);
    for (const form of ["", "hex:", "base64:", "base64url:", "percent:", "json:"]) {
      const said = `{{${form}authorization}}`;
      const shown = await use(`GET ${replying({ chunks: [`a ${said} b`], headers: { "X-Echo": said } })}`);
      expect([shown.text, shown.headers.get("X-Echo")], form).toEqual([expect.stringContaining(HIDDEN), expect.stringContaining(HIDDEN)]);
      expect(shown.text.length, form).toBeGreaterThan(HIDDEN.length + 4);
    }
  });

  it.each([
    ["GET /echo/x?a=1", {}],
    ["HEAD /echo/x", {}],
    ["OPTIONS /echo/x", {}],
    ["POST /echo/x", { body: "12345" }],
    ["POST /echo/x", { body: "x".repeat(20_000) }],
    [`GET ${replying({ status: 404, chunks: ["none"] })}`, {}],
    [`GET ${replying({ status: 204, chunks: [] })}`, {}],
    [`GET ${replying({ status: 302, headers: { Location: "https://elsewhere.example/" }, chunks: [] })}`, {}],
    ["GET /admin", {}],
    ["GET /echo/../x", {}],
    ["GET /echo/x", { headers: { "Keyhole-Scope": "namespace:a" } }],
    ["GET /echo/x", { headers: { "Sec-Fetch-Mode": "navigate" } }],
    ["GET /echo/x", { headers: { "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty" } }],
    ["GET /echo/x", { headers: { "Keyhole-Hop": "1" } }],
    ["GET /echo/x", { headers: { Upgrade: "h2c" } }],
    ["POST /echo/x", { headers: { "Content-Length": "99999999999" }, body: "12345" }],
    ["POST /echo/x", { headers: { "Content-Length": "4" }, body: "12345" }],
    ["POST /echo/x", { headers: { "Content-Length": "6" }, body: "12345" }],
  ] as [string, CallOptions][])("answers %s %o as a use does that is on record by itself", async (request, options) => {
    await elsewhere.call("PUT /v1/services/each", { token, json: { ...definition(), audit: "each" } });
    const once = await place.call(request.replace(" ", " /use/each"), { token, ...options });
    const again = await use(request, options);
    const { said, ...rest } = shape(once) as { said: string[][]; text: string };
    const own = (text: string) => text.replaceAll("/use/each", "/use/api");
    expect(shape(again)).toEqual({ ...rest, text: own(rest.text), said: said.map(([name = "", value = ""]) => [name, own(value)]) });
  });

  it("is of exactly the token that was verified", async () => {
    const [head = "", payload = "", signature = ""] = token.split(".");
    const other = `${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`;
    const out = vi.spyOn(globalThis, "fetch");
    for (const text of [
      `${head}.${payload}.${other}`,
      `${head}.${payload}.${signature}A`,
      `${head}.${payload}.`,
      `${head}.${payload}.${signature.slice(0, -4)}`,
    ])
      expect((await use("GET /echo/x", { token: text })).status).toBe(401);
    expect((await use("GET /echo/x", { token: await sign({ org: `${org}-other` }) })).status).toBe(404);
    expect((await use("GET /echo/x", { token: await sign({ org, scope: "secrets:read" }) })).status).toBe(403);
    expect(out).not.toHaveBeenCalled();
  });

  it("finds its lease by all that decides, however many ways its token is used in, and however long they are", async () => {
    const agents = [...Array.from({ length: 20 }, (_, n) => `agent ${n}`), "x".repeat(250)];
    const headers = (agent: string) => ({ headers: { "User-Agent": agent, "CF-Worker": `${"a".repeat(300)}.example` } });
    for (const agent of agents) expect((await use("GET /echo/x", headers(agent))).status).toBe(200);
    const { d1 } = place.asked;
    for (const agent of agents) {
      const { reply, verified } = await verifying(() => use("GET /echo/x", headers(agent)));
      expect([reply.status, verified]).toEqual([200, 0]);
    }
    expect(place.asked.d1).toBe(d1);
    await use("GET /echo/x", headers("another"));
    expect(place.asked.d1).toBeGreaterThan(d1);
  });

  it("takes the token from wherever it may be, and not two of them", async () => {
    const another = await sign({ org, subject: "another" });
    const bearer = (text: string) => ({ Authorization: `Bearer ${text}` });
    const statuses = async (...all: Record<string, string>[]) => {
      const found = [];
      for (const headers of all) found.push((await use("GET /echo/x", { token: null, headers })).status);
      return found;
    };
    expect(await statuses({ "x-api-key": token }, { ...bearer(token), "x-api-key": token })).toEqual([200, 200]);
    expect(await statuses({ ...bearer(token), "x-api-key": another }, bearer(`${token}, Bearer ${token}`), bearer(`${token} `.repeat(2)), {})).toEqual([
      ...[401, 401, 401, 401],
    ]);
  });

  it("is logged where it fails, by the id that its caller is told", async () => {
    const lines = vi.spyOn(console, "log").mockImplementation(() => undefined);
    expect((await use("GET /echo/x")).status).toBe(200);
    expect(lines).not.toHaveBeenCalled();
    vi.spyOn(globalThis, "fetch").mockRejectedValueOnce(new Error("gone"));
    const reply = await use("GET /echo/x");
    expect(reply.headers.get("Keyhole-Error")).toBe("upstream-unreachable");
    const line = JSON.parse(String(lines.mock.calls[0]?.[0]));
    expect(line).toMatchObject({ status: 502, problem: "upstream-unreachable", org, request_id: reply.headers.get("X-Request-Id") });
    expect(reply.body.request_id).toBe(reply.headers.get("X-Request-Id"));
  });

  it("ends with its token, to the second", async () => {
    const short = await sign({ org, exp: START / 1000 + 30 });
    for (const expected of [200, 200]) expect((await use("GET /echo/x", { token: short })).status).toBe(expected);
    const out = vi.spyOn(globalThis, "fetch");
    await pass(29);
    expect((await use("GET /echo/x", { token: short })).status).toBe(200);
    await pass(1);
    expect((await use("GET /echo/x", { token: short })).status).toBe(401);
    expect(out).toHaveBeenCalledTimes(1);
  });

  it.each([
    ["its token is revoked", (id: string) => elsewhere.call(`DELETE /v1/tokens/${id}`, { token }), 401],
    [
      "its secret may go there no more",
      () => elsewhere.call("PUT /v1/scopes/global/secrets/API_KEY", { token, json: { value: VALUE, hosts: ["api.example.com"] } }),
      403,
    ],
    ["its service is there no more", () => elsewhere.call("DELETE /v1/services/api", { token }), 404],
    [
      "its service allows something else",
      () => elsewhere.call("PUT /v1/services/api", { token, json: { ...definition({ allow: [{ methods: ["POST"], paths: ["/echo/**"] }] }), audit: "lease" } }),
      403,
    ],
  ] as [string, (id: string) => Promise<Reply>, number][])("ends within STALE_SECONDS when %s, however often it is used", async (_, change, refused) => {
    const minted = await elsewhere.call("POST /v1/tokens", { token, json: { label: "a", permissions: ["secrets:use"], expires_in: 3600 } });
    const by = { token: minted.body.token as string };
    for (let n = 0; n < 3; n++) expect((await use("GET /echo/x", by)).status).toBe(200);
    expect((await change(minted.body.id)).status).toBeLessThan(300);
    const statuses = [];
    for (let n = 0; n < 14; n++) {
      await pass(0.5);
      statuses.push((await use("GET /echo/x", by)).status);
    }
    // What was asked for before the change may be 5 seconds old; after that it is seen, and stays so.
    const first = statuses.indexOf(refused);
    expect(first).toBeGreaterThanOrEqual(0);
    expect(first).toBeLessThanOrEqual(10);
    expect(statuses).toEqual([...Array(first).fill(200), ...Array(14 - first).fill(refused)]);
  });

  it("has a token verified each time that is too long to be remembered", async () => {
    const long = await sign({ org, secret_scopes: Array.from({ length: 60 }, (_, n) => `namespace:${String(n).padStart(50, "x")}`).concat("global") });
    expect(long.length).toBeGreaterThan(4_096);
    for (let n = 0; n < 2; n++) {
      const { reply, verified } = await verifying(() => use("GET /echo/x", { token: long }));
      expect([reply.status, verified > 0]).toEqual([200, true]);
    }
  });
});

it("a token is remembered for one configuration, until it or its issuer's keys are due, and the one used longest ago goes first", async () => {
  const [config, other] = [{}, {}];
  const facts = { expiresAt: 2_000, verifiedUntil: null } as TokenFacts;
  rememberToken(config, "a", facts);
  rememberToken(config, "b", { ...facts, verifiedUntil: 1_500 });
  const at = (mark: string, now: number) => tokenAtHand(config, mark, now) !== undefined;
  expect([at("a", 1_999), at("b", 1_499), at("b", 1_500), at("b", 1_499), at("c", 0)]).toEqual([true, true, false, false, false]);
  expect(tokenAtHand(other, "a", 0)).toBeUndefined();
  for (let n = 0; n < 999; n++) {
    rememberToken(config, `more ${n}`, facts);
    if (n === 500) expect(at("a", 0)).toBe(true);
  }
  rememberToken(config, "last", facts);
  expect([at("more 0", 0), at("a", 0), at("more 1", 0)]).toEqual([false, true, true]);
  expect(at("a", 2_000)).toBe(false);
  const marks = await Promise.all(["a.b.c", "a.b.d", "x".repeat(4_097)].map(markOfToken));
  expect([new Set(marks).size, marks[2]]).toEqual([3, undefined]);
});
