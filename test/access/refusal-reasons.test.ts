import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { EXCHANGE_REFUSALS, ISSUER_REFUSALS, refusalOf, TOKEN_REFUSALS } from "../../src/worker/access/refusal.ts";
import { TokenError } from "../../src/worker/access/verify-jwt.ts";
import { holdsCanary } from "../fuzz/holds-canary.ts";
import { CANARY } from "../fuzz/hostile.ts";
import type { Reply } from "../support/call.ts";
import { callWith } from "../support/call-with.ts";
import { exchange, FORM, REFUSED } from "../support/exchange.ts";
import { publish } from "../support/issuer.ts";
import { sign } from "../support/sign.ts";
import { ask, CASES, call, issuer, logged, startIssuers, swap, type Wire } from "./refusal-cases.ts";

const HOUR = 3_600_000;

beforeEach(startIssuers);
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** What the log calls it, by what the wire says. */
const PROBLEM: Record<Wire, string> = {
  "401": "unauthenticated",
  "400": "unauthenticated",
  "503": "storage-unavailable",
  "OAuth 503": "storage-unavailable",
  invalid_scope: "forbidden",
};

/** What it says, whatever the reason. */
const WORDS: Record<Wire, object> = {
  "401": { code: "unauthenticated", detail: "Send a valid token: Authorization: Bearer <JWT>." },
  "400": REFUSED,
  "503": { code: "storage-unavailable", detail: "The keys of the token's issuer are not available." },
  "OAuth 503": { error: "temporarily_unavailable", error_description: "The issuer's keys are not available." },
  invalid_scope: { error: "invalid_scope", error_description: "The trust does not give every permission asked for." },
};

/** All that a reply says, but for what is another for every request. */
function said({ status, headers, body }: Reply): object {
  const { request_id: _, ...rest } = body;
  return { status, headers: Object.fromEntries([...headers].filter(([name]) => name !== "x-request-id")), body: rest };
}

const saidBefore = new Map<Wire, object>();

describe("says one thing on the wire, and in the log the reason and nothing of what was sent:", () => {
  it.each(CASES)("%s (%s): %s", async (refusal, wire, _, attempt) => {
    const { reply, brought } = await attempt();
    const first = saidBefore.get(wire) ?? said(reply);
    saidBefore.set(wire, first);
    expect(said(reply)).toEqual(first);
    expect(reply.body).toMatchObject(WORDS[wire]);
    expect(String(reply.status)).toBe(wire === "invalid_scope" ? "400" : wire.slice(-3));
    const lines = logged.map((line) => JSON.parse(line));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ event: "request", status: reply.status, problem: PROBLEM[wire], refusal });
    expectNothingOf(brought, logged.join("\n"));
  });
});

/** Neither the canary in whatever writing, nor a stretch of what was sent. */
function expectNothingOf(brought: string, log: string): void {
  expect(holdsCanary(log), log).toBe(false);
  for (let at = 0; at + 16 <= Math.min(brought.length, 4000); at += 4) expect(log.includes(brought.slice(at, at + 16)), brought.slice(at, at + 16)).toBe(false);
}

it("the table has every reason that there is, and no other", () => {
  const reasons = [...TOKEN_REFUSALS, ...EXCHANGE_REFUSALS, ...ISSUER_REFUSALS];
  expect(new Set(CASES.map(([refusal]) => refusal))).toEqual(new Set(reasons));
  expect(new Set(reasons).size).toBe(reasons.length);
});

describe("the log line", () => {
  const line = () => JSON.parse(logged.at(-1) ?? "");

  it("of a request that is let in, or is refused for its grant, has no reason", async () => {
    await ask(await sign());
    expect(line()).toMatchObject({ status: 200, problem: null, refusal: null });
    await call("GET /v1/secrets", { token: { scope: "" } });
    expect(line()).toMatchObject({ status: 403, problem: "forbidden", refusal: null });
    expect((await swap()).reply.status).toBe(200);
    expect(line()).toMatchObject({ status: 200, problem: null, refusal: null });
  });

  it.each<[string, Partial<typeof FORM>, string]>([
    ["another grant type", { grant_type: CANARY }, "invalid-request"],
    ["an audience that is no trust", { audience: CANARY }, "invalid-request"],
    ["a form that lacks something", { subject_token_type: "" }, "invalid-request"],
  ])("of an exchange that asks wrongly (%s) has the problem", async (_, form, problem) => {
    expect((await swap({}, form)).reply.status).toBe(400);
    expect(line()).toMatchObject({ status: 400, problem, refusal: null });
    expect(holdsCanary(logged.join("\n"))).toBe(false);
  });

  it("of an exchange that is too large, or in no form, has the problem", async () => {
    await exchange("x".repeat(70_000), {}, call);
    expect(line()).toMatchObject({ status: 413, problem: "body-too-large", refusal: null });
    await call("POST /oauth/token", { token: null, json: FORM });
    expect(line()).toMatchObject({ status: 415, problem: "unsupported-media-type", refusal: null });
  });

  it("of an address that is held up for its failures still has the reason", async () => {
    const held = callWith({ ALLOW_INSECURE_ISSUERS: "true", FAILURE_LIMIT: { limit: async () => ({ success: false }) } });
    const from = { "CF-Connecting-IP": "192.0.2.1" };
    expect((await held("GET /v1/whoami", { token: await sign({ exp: 1 }), headers: from })).status).toBe(429);
    expect(line()).toMatchObject({ status: 429, problem: "rate-limited", refusal: "expired" });
    const calm: typeof call = (request, options) => held(request, { ...options, headers: from });
    expect((await swap({ aud: "x" }, {}, calm)).reply.status).toBe(429);
    expect(line()).toMatchObject({ status: 429, problem: "rate-limited", refusal: "wrong-audience" });
  });

  it("of keys that are an hour old and cannot be had again has the reason", async () => {
    expect((await swap()).reply.status).toBe(200);
    await publish(issuer.discoveryUrl, { status: 500 });
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + HOUR });
    expect((await swap()).reply.status).toBe(503);
    expect(line()).toMatchObject({ status: 503, problem: "storage-unavailable", refusal: "issuer-error" });
  });
});

describe("the reason of an error", () => {
  it("is that of the refusal among its causes", () => {
    const refusal = new TokenError("expired", { cause: new Error("deeper") });
    expect(refusalOf(new Error("outer", { cause: new Error("inner", { cause: refusal }) }))).toBe("expired");
  });

  it.each([[new Error("x", { cause: "y" })], ["text"], [undefined], [null]])("is none where there is none: %s", (error) => {
    expect(refusalOf(error)).toBeUndefined();
  });
});
