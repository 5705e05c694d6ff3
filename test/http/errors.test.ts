import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { PROBLEMS } from "../../src/contract/problem.ts";
import { createApp } from "../../src/worker/http/app.ts";
import { at, type CallOptions, call, put, type Reply, resolve } from "../support/call.ts";
import { sign } from "../support/sign.ts";

afterEach(() => vi.restoreAllMocks());

/** What every problem reply is, whatever its code (RFC 9457). */
function expectProblem({ status, body, headers, text }: Reply, code: keyof typeof PROBLEMS): void {
  expect(body).toMatchObject({ type: `urn:keyhole:problem:${code}`, title: PROBLEMS[code].title, status: PROBLEMS[code].status, code });
  expect(status).toBe(PROBLEMS[code].status);
  expect(body.detail).toMatch(/\w+/);
  expect(headers.get("Content-Type")).toBe("application/problem+json");
  expect(headers.get("Cache-Control")).toBe("no-store");
  expect(body.request_id).toBe(headers.get("X-Request-Id"));
  expect(text).not.toMatch(/\.ts:\d|\n\s+at |D1_ERROR|SQLITE|went down/);
}

describe("a route that is not there", () => {
  it.each(["GET /nothing", "GET /v1", "GET /v1/nothing", "POST /v1/secrets/a/b/c", "GET /v2/secrets", "GET /v1/secrets/", "GET /v1/scopes/global/secrets"])(
    "is 404 route-not-found: %s",
    async (request) => expectProblem(await call(request), "route-not-found"),
  );

  it("under /v1 is not shown to a caller without a token", async () => {
    expectProblem(await call("GET /v1/nothing", { token: null }), "unauthenticated");
  });

  it.each([
    ["POST /v1/scopes/global/secrets/A", "DELETE, GET, HEAD, PUT"],
    ["PUT /v1/secrets", "GET, HEAD, POST"],
    ["PUT /v1/secrets/sec_x", "DELETE, GET, HEAD, PATCH"],
    ["GET /v1/resolve", "POST"],
    ["DELETE /v1/resolve/A", "GET"],
    ["OPTIONS /v1/explain/A", "GET, HEAD"],
    ["POST /healthz", "GET, HEAD"],
    ["DELETE /openapi.json", "GET, HEAD"],
  ])("by its method is 405 with Allow: %s", async (request, allow) => {
    const reply = await call(request);
    expectProblem(reply, "method-not-allowed");
    expect(reply.headers.get("Allow")).toBe(allow);
  });
});

describe("every reply under /v1", () => {
  it.each(["GET /v1/secrets", "GET /v1/secrets/sec_x", "PUT /v1/scopes/x/secrets/A", "GET /v1/nothing"])(
    "has X-Request-Id of its own and Cache-Control: no-store: %s",
    async (request) => {
      const replies = [await call(request), await call(request), await call(request, { token: null })];
      const ids = replies.map(({ headers }) => headers.get("X-Request-Id"));
      expect(new Set(ids).size).toBe(3);
      for (const id of ids) expect(id).toMatch(/^req_[0-9a-f]{32}$/);
      for (const { headers } of replies) expect(headers.get("Cache-Control")).toBe("no-store");
    },
  );
});

describe("what comes in the clear", () => {
  const app = createApp();
  const nothing = vi.fn(() => Promise.reject(new Error("asked for something")) as never);
  const ask = async (url: string, init: RequestInit = {}): Promise<Response> => {
    const forbidden = { ...env, DB: new Proxy({}, { get: () => nothing }), KV: new Proxy({}, { get: () => nothing }) } as unknown as WorkerEnv;
    return app.fetch(new Request(url, { ...init, redirect: "manual" }), forbidden, createExecutionContext());
  };
  const bearer = async (headers = {}) => ({ headers: { Authorization: `Bearer ${await sign({})}`, ...headers } });

  const clear = ["keyhole.test", "127.attacker.example", "localhost.attacker.example", "10.0.0.1", "[::ffff:127.0.0.1]", "keyhole", "foo.localhost"];
  it.each(clear)("to %s is refused without being redirected or looked at, and is not told to use https by a header that only counts there", async (host) => {
    const leased = { "Cache-Control": "max-age=60" };
    for (const [path, init] of [
      ["/v1/whoami", await bearer()],
      ["/v1/resolve/KEY", await bearer(leased)],
      ["/v1/resolve", { ...(await bearer(leased)), method: "POST" }],
      ["/healthz", {}],
      ["/v1/nothing", {}],
    ] as const) {
      const reply = await ask(`http://${host}${path}`, init);
      expect([path, reply.status, reply.headers.get("Location"), reply.headers.get("Strict-Transport-Security")]).toEqual([path, 400, null, null]);
      expect(await reply.json()).toMatchObject({ code: "invalid-request", detail: expect.stringContaining("over https only") });
    }
    const exchanged = await ask(`http://${host}/oauth/token`, { method: "POST", body: new URLSearchParams({ subject_token: "x" }) });
    expect([exchanged.status, await exchanged.json()]).toMatchObject([400, { error: "invalid_request" }]);
    expect(nothing).not.toHaveBeenCalled();
  });

  it.each(["localhost:8787", "127.0.0.1:8787", "127.8.0.9", "[::1]:8787"])("from this machine to itself, at %s, is answered", async (host) => {
    const reply = await ask(`http://${host}/healthz`);
    expect([reply.status, reply.headers.get("Strict-Transport-Security")]).toEqual([200, null]);
  });

  it("is to be nothing for a year, says every reply over https, also a refused and a leased one", async () => {
    await put("global", "STRICT", "v");
    const leased = { headers: { "Cache-Control": "max-age=60" } };
    const replies = [await call("GET /healthz"), await call("GET /v1/none", { token: null }), await call("GET /v1/resolve/STRICT", leased)];
    replies.push(await call("GET /v1/resolve/STRICT", leased), await call("POST /oauth/token", { token: null }));
    expect(replies.map(({ headers }) => headers.get("Strict-Transport-Security"))).toEqual(replies.map(() => "max-age=31536000"));
  });
});

const down = () => Promise.reject(new Error("D1_ERROR: went down")) as never;
const json = { value: "v" };
const REQUESTS: [string, CallOptions][] = [
  [`PUT ${at("global", "DOWN")}`, { json }],
  [`GET ${at("global", "DOWN")}`, {}],
  [`DELETE ${at("global", "DOWN")}`, {}],
  ["POST /v1/secrets", { json: { ...json, scope: "global", name: "DOWN" } }],
  ["GET /v1/secrets", {}],
  ["GET /v1/secrets/sec_x", {}],
  ["PATCH /v1/secrets/sec_x", { json }],
  ["DELETE /v1/secrets/sec_x", {}],
  ["POST /v1/resolve", { json: { names: ["DOWN"] } }],
  ["GET /v1/resolve/DOWN", {}],
  ["GET /v1/explain/DOWN", {}],
];

describe("when a binding fails", () => {
  it.each(REQUESTS)("D1 makes it 503 with Retry-After: %s", async (request, options) => {
    vi.spyOn(env.DB, "batch").mockImplementation(down);
    const reply = await call(request, options);
    expectProblem(reply, "storage-unavailable");
    expect(Number(reply.headers.get("Retry-After"))).toBeGreaterThan(0);
  });

  it("D1 makes a refusal that cannot be put on record 503 and not 403", async () => {
    vi.spyOn(env.DB, "batch").mockImplementation(down);
    expectProblem(await call("GET /v1/secrets", { token: { scope: "" } }), "storage-unavailable");
  });

  it("KV makes a resolve of what is only there 503 with Retry-After, and nothing of the rest leaves", async () => {
    const { body } = await put("global", "KV_ONLY", "v");
    await put("global", "KV_NOT", "inline-value");
    await env.DB.prepare("UPDATE versions SET ciphertext = NULL WHERE secret_id = ?").bind(body.id).run();
    vi.spyOn(env.KV, "get").mockImplementation(down);
    const reply = await resolve({ names: ["KV_ONLY", "KV_NOT"] });
    expectProblem(reply, "storage-unavailable");
    expect(reply.headers.get("Retry-After")).toBe("2");
    expect(reply.text).not.toContain("inline-value");
    expect((await resolve({ names: ["KV_NOT"] })).status).toBe(200);
  });

  it("in a way that nobody foresaw, the reply is 500 internal without a word of the error, and the log has its name and place", async () => {
    const log = vi.spyOn(console, "log").mockReturnValue();
    vi.spyOn(crypto.subtle, "generateKey").mockRejectedValue(new TypeError("went down with the-value"));
    const reply = await put("global", "UNFORESEEN", "the-value");
    expectProblem(reply, "internal");
    const [line] = log.mock.calls.map(([text]) => JSON.parse(text)).filter(({ event }) => event === "request");
    expect(line).toMatchObject({ level: "error", status: 500, problem: "internal", request_id: reply.body.request_id, error: { name: "TypeError" } });
    expect(JSON.stringify(log.mock.calls)).not.toContain("the-value");
  });
});

it("does not log lines of an error's message that look like places in the code", async () => {
  const log = vi.spyOn(console, "log").mockReturnValue();
  vi.spyOn(crypto.subtle, "generateKey").mockRejectedValue(new SyntaxError("Unexpected token\n    at the-value (a.ts:1:1)\n"));
  await put("global", "UNFORESEEN", "the-value");
  const [line] = log.mock.calls.map(([text]) => JSON.parse(text)).filter(({ event }) => event === "request");
  expect(line.error.at).not.toEqual([]);
  expect(JSON.stringify(log.mock.calls)).not.toContain("the-value");
});

it("logs one line of a fixed shape for a request: no name, no scope, no query", async () => {
  const log = vi.spyOn(console, "log").mockReturnValue();
  await call("GET /v1/scopes/team%3Asecretive/secrets/SECRETIVE?secretive=1", { token: { org: "logged", sub: "me" } });
  expect(log).toHaveBeenCalledTimes(1);
  const line = JSON.parse(log.mock.calls[0]?.[0]);
  const fields = ["level", "event", "method", "route", "status", "duration_ms", "request_id", "org", "subject", "problem", "refusal"];
  expect(Object.keys(line)).toEqual(fields);
  expect(line).toMatchObject({ method: "GET", route: "/v1/scopes/:scope/secrets/:name", status: 404, org: "logged", subject: "me" });
  expect(JSON.stringify(line)).not.toMatch(/secretive/i);
});
