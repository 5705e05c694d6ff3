import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CallOptions, Reply } from "../support/call.ts";
import { callWith } from "../support/call-with.ts";
import { eventsOf } from "../support/events-of.ts";
import { startIssuer } from "../support/issuer.ts";
import { sign } from "../support/sign.ts";
import { FOREIGN_SIGNING_KEY } from "../support/test-secrets.ts";

const OWN_PAGE = { "Keyhole-Console": "1", "Sec-Fetch-Site": "same-origin" };
const START = Date.parse("2026-11-28T12:00:00.000Z");
const worker = callWith({});
let org = "";
let token = "";
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: START });
  org = `console-${crypto.randomUUID().slice(0, 8)}`;
  token = await sign({ org });
});
afterEach(() => vi.useRealTimers());

/** What the console's own page asks. */
const ask = (request: string, cookie: string | null, options: CallOptions = {}): Promise<Reply> =>
  worker(request, { token: null, ...options, headers: { ...OWN_PAGE, ...(cookie !== null && { Cookie: cookie }), ...options.headers } });
const cookieOf = ({ headers }: Reply) => (headers.get("Set-Cookie") ?? "").split(";")[0] ?? "";
async function logIn(by: string = token, cookie: string | null = null): Promise<string> {
  const reply = await ask("POST /console/api/session", cookie, { json: { token: by } });
  expect([reply.status, reply.text]).toEqual([201, expect.any(String)]);
  return cookieOf(reply);
}
const isOpen = async (cookie: string) => (await ask("GET /console/api/session", cookie)).status === 200;
const pass = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000);

describe("a session", () => {
  it("is begun with a token, and has what that has and no more", async () => {
    const narrow = await sign({ org, sub: "ada", scope: "secrets:read", secret_scopes: ["global"], exp: START / 1000 + 600 });
    const reply = await ask("POST /console/api/session", null, { json: { token: narrow } });
    const body = { organization: org, subject: "ada", permissions: ["secrets:read"], secret_scopes: ["global"], secret_names: null, services: null };
    expect([reply.status, reply.body]).toEqual([201, { ...body, expires_at: "2026-11-28T12:10:00.000Z", idle_expires_at: "2026-11-28T12:10:00.000Z" }]);
    expect(reply.headers.get("Set-Cookie")).toMatch(/^__Host-keyhole=[\w-]{43}; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
    const cookie = cookieOf(reply);
    expect((await ask("GET /console/api/session", cookie)).body).toEqual(reply.body);
    expect((await ask("GET /console/api/v1/secrets", cookie)).status).toBe(200);
    expect((await ask("PUT /console/api/v1/scopes/global/secrets/A", cookie, { json: { value: "v" } })).status).toBe(403);
    pass(600);
    expect(await isOpen(cookie)).toBe(false);
  });

  it("asks the verbs of /v1, as its subject and under one request id", async () => {
    const cookie = await logIn();
    const made = await ask("PUT /console/api/v1/scopes/namespace%3Aprod/secrets/A", cookie, { json: { value: "typed-in-a-browser" } });
    expect(made.status).toBe(201);
    expect((await ask("GET /console/api/v1/secrets?scope=namespace%3Aprod", cookie)).body.secrets).toMatchObject([{ name: "A" }]);
    const event = (await eventsOf(org)).find(({ action }) => action === "secret.create");
    expect(event).toMatchObject({ request_id: made.headers.get("X-Request-Id") });
    expect((await ask("GET /console/api/readyz", cookie)).body.integrity).toBeDefined();
    expect((await ask("GET /console/api/v1/nothing", cookie)).status).toBe(404);
  });

  it("gives no values, whatever its token may", async () => {
    const cookie = await logIn();
    await ask("PUT /console/api/v1/scopes/global/secrets/A", cookie, { json: { value: "typed-in-a-browser" } });
    for (const request of [
      "POST /console/api/v1/resolve",
      "GET /console/api/v1/resolve/A",
      "GET /console/api/v1/%72esolve/A",
      "GET /console/api/v1//resolve/A",
      "GET /console/api/v1/x/../resolve/A",
      "GET /console/api/v1/x/%2e%2e/resolve/A",
      "GET /console/api/v1/.\\resolve/A",
      "GET /console/api/oauth/token",
      "GET /console/api/vault/v1/secret/data/A",
      "GET /console/api/console/api/v1/resolve/A",
    ]) {
      const { status, text } = await ask(request, cookie, request.startsWith("POST") ? { json: { names: ["A"] } } : {});
      expect([request, status, text.includes("typed-in")]).toEqual([request, 404, false]);
    }
  });

  it("lasts half an hour after it was used, and twelve hours at the most", async () => {
    const idle = await logIn();
    pass(1799);
    expect(await isOpen(idle)).toBe(true);
    pass(1800);
    expect(await isOpen(idle)).toBe(false);
    const used = await logIn(await sign({ org, exp: Date.now() / 1000 + 86_400 }));
    for (let minutes = 0; minutes < 700; minutes += 20) {
      pass(20 * 60);
      expect([minutes, await isOpen(used)]).toEqual([minutes, true]);
    }
    pass(20 * 60);
    expect(await isOpen(used)).toBe(false);
  });

  it("is ended by its logout, for whoever has the cookie, and both are on record", async () => {
    const cookie = await logIn();
    const reply = await ask("DELETE /console/api/session", cookie);
    expect([reply.status, reply.headers.get("Set-Cookie")]).toEqual([204, expect.stringContaining("Max-Age=0")]);
    expect(await isOpen(cookie)).toBe(false);
    expect((await ask("DELETE /console/api/session", cookie)).status).toBe(204);
    expect((await eventsOf(org)).map(({ action }) => action)).toEqual(["session.create", "session.delete"]);
  });

  it("ends when its token is revoked, and a revoked token begins none", async () => {
    token = await sign({ org, sub: "leaver" });
    const cookie = await logIn();
    expect((await worker("POST /v1/revocations", { token: { org }, json: { subject: "leaver" } })).status).toBe(201);
    expect(await isOpen(cookie)).toBe(false);
    expect((await ask("GET /console/api/v1/secrets", cookie)).status).toBe(401);
    expect((await ask("POST /console/api/session", null, { json: { token } })).status).toBe(401);
  });

  it("ends when the key that signed its token is retired or is another one by the same id, and not while it verifies", async () => {
    const cookie = await logIn();
    const [before, after] = [env.SIGNING_KEY, FOREIGN_SIGNING_KEY].map((key) => JSON.parse(key ?? "") as Record<string, string>);
    const { d: _, ...half } = before as Record<string, string>;
    const statusWith = async (key: object) =>
      (await callWith({ SIGNING_KEY: JSON.stringify(key) })("GET /console/api/v1/secrets", { token: null, headers: { ...OWN_PAGE, Cookie: cookie } })).status;
    expect(await statusWith({ keys: [after, before] })).toBe(200);
    expect(await statusWith({ keys: [after, { ...half, retired: true }] })).toBe(401);
    expect(await statusWith({ ...after, kid: before?.kid })).toBe(401);
    expect(await isOpen(cookie)).toBe(true);
  });

  it("of another issuer's token ends when the deployment does not trust that as it did", async () => {
    const issuer = await startIssuer();
    const entry = { issuer: issuer.url, jwks_url: issuer.jwksUrl, audience: "keyhole-api", algorithms: ["ES256"], org };
    const trusting = (...issuers: object[]) => callWith({ ALLOW_INSECURE_ISSUERS: "true", TRUSTED_ISSUERS: JSON.stringify(issuers) });
    const iat = START / 1000;
    const claims = { iss: issuer.url, aud: "keyhole-api", sub: "alice", scope: "secrets:read", iat, exp: iat + 3600, jti: crypto.randomUUID() };
    const json = { token: await issuer.sign(claims) };
    const begun = await trusting(entry)("POST /console/api/session", { token: null, json, headers: OWN_PAGE });
    expect([begun.status, begun.body.organization]).toEqual([201, org]);
    const statusWith = async (call: typeof worker) =>
      (await call("GET /console/api/session", { token: null, headers: { ...OWN_PAGE, Cookie: cookieOf(begun) } })).status;
    expect(await statusWith(trusting(entry))).toBe(200);
    for (const other of [trusting(), trusting({ ...entry, org: `${org}-x` }), trusting({ ...entry, audience: "another" })])
      expect(await statusWith(other)).toBe(401);
  });

  it("is held up by the organization's quota of writes, as a code is", async () => {
    const few = callWith({ QUOTAS: JSON.stringify({ writes_per_minute: 2 }) });
    const begin = (cookie?: string) =>
      few("POST /console/api/session", { token: null, headers: { ...OWN_PAGE, ...(cookie && { Cookie: cookie }) }, json: { token } });
    const statuses = [(await begin()).status, (await begin()).status, (await begin()).status];
    expect(statuses).toEqual([201, 201, 429]);
    const strangers = cookieOf(await ask("POST /console/api/session", null, { json: { token: await sign({ org: `${org}-x` }) } }));
    expect((await begin(strangers)).status).toBe(429);
    expect(await env.DB.prepare("SELECT COUNT(*) AS n FROM sessions WHERE org = ?").bind(org).first("n")).toBe(2);
  });

  it("is stored without its secret, its token and anything of who it is", async () => {
    const cookie = await logIn(await sign({ org, sub: "a-name-that-is-nowhere" }));
    const kept = JSON.stringify((await env.DB.prepare("SELECT * FROM sessions WHERE org = ?").bind(org).all()).results);
    for (const text of [cookie.split("=")[1] ?? "", token, "a-name-that-is-nowhere", "secrets:read"]) expect(kept).not.toContain(text);
  });

  it("is none where its row was made by somebody else, or is another one's", async () => {
    const [one, other] = [await logIn(), await logIn(await sign({ org, sub: "other" }))];
    const { results } = await env.DB.prepare("SELECT hash, sealed FROM sessions WHERE org = ? ORDER BY hash").bind(org).all<{ hash: string; sealed: string }>();
    await env.DB.batch(results.map(({ hash }, n) => env.DB.prepare("UPDATE sessions SET sealed = ? WHERE hash = ?").bind(results[1 - n]?.sealed ?? "", hash)));
    expect([await isOpen(one), await isOpen(other)]).toEqual([false, false]);
  });

  it("that nobody uses any more is gone once another one begins", async () => {
    await logIn();
    pass(3600);
    await logIn(await sign({ org }));
    expect(await env.DB.prepare("SELECT COUNT(*) AS n FROM sessions WHERE org = ?").bind(org).first("n")).toBe(1);
  });
});

describe("a stranger", () => {
  it("gets nothing with the cookie anywhere else", async () => {
    const cookie = await logIn();
    const headers = { ...OWN_PAGE, Cookie: cookie };
    for (const request of ["GET /v1/secrets", "GET /v1/whoami", "GET /use/api/x", "POST /mcp"])
      expect([request, (await worker(request, { token: null, headers, ...(request.startsWith("POST") && { json: {} }) })).status]).toEqual([request, 401]);
    // Vault's own refusal of a request without a token.
    expect((await worker("GET /v1/env/data/namespace/prod", { token: null, headers })).body).toEqual({ errors: ["missing client token"] });
    expect((await worker("POST /oauth/token", { token: null, headers, body: "grant_type=x" })).status).toBeGreaterThanOrEqual(400);
  });

  it("with a token of its own beside another's cookie is that session, and no header is heeded", async () => {
    const cookie = await logIn();
    const stranger = await sign({ org: `${org}-x` });
    const { body } = await ask("GET /console/api/v1/whoami", cookie, { headers: { Authorization: `Bearer ${stranger}` } });
    expect(body.org).toBe(org);
  });

  it("is not answered without a session, and is told nothing of what it sent", async () => {
    for (const cookie of [null, "__Host-keyhole=", `__Host-keyhole=${"A".repeat(43)}`, "keyhole=x"])
      expect((await ask("GET /console/api/v1/secrets", cookie)).status).toBe(401);
    const wrong: [object | string, number][] = [
      [{ token: "not-a-token-of-anybody" }, 401],
      [{ code: "A".repeat(43) }, 401],
      [{ confirm: "A".repeat(43) }, 401],
      [{ code: "sk-live-short" }, 400],
      [{ token, code: "A".repeat(43) }, 400],
      [{}, 400],
      ["sk-live-0123456789", 400],
    ];
    for (const [sent, status] of wrong) {
      const options: CallOptions = typeof sent === "string" ? { body: sent, headers: { "Content-Type": "application/json" } } : { json: sent };
      const reply = await ask("POST /console/api/session", null, options);
      expect([sent, reply.status]).toEqual([sent, status]);
      expect(reply.text).not.toMatch(/sk-live|not-a-token|AAAA/);
    }
    expect((await ask("POST /console/api/session", null, { body: JSON.stringify({ token }), headers: { "Content-Type": "text/plain" } })).status).toBe(415);
  });
});

describe("a login in place of another session", () => {
  it("is shown first, and needs its confirmation by that session, once", async () => {
    const cookie = await logIn();
    const stranger = await sign({ org: `${org}-strangers`, sub: "mallory", scope: "secrets:write" });
    const shown = await ask("POST /console/api/session", cookie, { json: { token: stranger } });
    expect([shown.status, shown.headers.get("Set-Cookie"), shown.body]).toEqual([
      200,
      null,
      { confirm: expect.stringMatching(/^[\w-]{43}$/), organization: `${org}-strangers`, subject: "mallory", permissions: ["secrets:write"] },
    ]);
    expect((await ask("GET /console/api/session", cookie)).body.organization).toBe(org);
    const { confirm } = shown.body;
    expect((await ask("POST /console/api/session", null, { json: { code: confirm } })).status).toBe(401);
    const again = (await ask("POST /console/api/session", cookie, { json: { token: stranger } })).body.confirm;
    expect((await ask("POST /console/api/session", null, { json: { confirm: again } })).status).toBe(401);
    expect((await ask("POST /console/api/session", cookie, { json: { confirm: again } })).status).toBe(401);
    const third = (await ask("POST /console/api/session", cookie, { json: { token: stranger } })).body.confirm;
    const done = await ask("POST /console/api/session", cookie, { json: { confirm: third } });
    expect([done.status, done.body.organization]).toEqual([201, `${org}-strangers`]);
    expect([await isOpen(cookie), await isOpen(cookieOf(done))]).toEqual([false, true]);
  });

  it("has nothing done in it by a page that still shows the other organization", async () => {
    const cookie = await logIn();
    const shown = (headers: Record<string, string>) => ask("PUT /console/api/v1/scopes/global/secrets/A", cookie, { json: { value: "v" }, headers });
    expect((await shown({ "Keyhole-Organization": `${org}-strangers` })).status).toBe(401);
    expect((await shown({ "Keyhole-Organization": org })).status).toBe(201);
  });

  it("with the same token needs none, and takes its place", async () => {
    const cookie = await logIn();
    const anew = await logIn(token, cookie);
    expect([await isOpen(cookie), await isOpen(anew)]).toEqual([false, true]);
  });
});

describe("a code", () => {
  const local = (json: object, url = "http://127.0.0.1:8787") => localCall(`${url}/console/api/codes`, json);
  async function localCall(url: string, json: object): Promise<{ status: number; body: { code: string } }> {
    const { createApp } = await import("../../src/worker/http/app.ts");
    const { createExecutionContext } = await import("cloudflare:test");
    const headers = { ...OWN_PAGE, "Content-Type": "application/json" };
    const reply = await createApp().fetch(new Request(url, { method: "POST", headers, body: JSON.stringify(json) }), env as never, createExecutionContext());
    return { status: reply.status, body: await reply.json() };
  }

  it("is made on this machine only, for a token that is good", async () => {
    expect((await local({ token })).status).toBe(201);
    expect((await local({ token: "x.y.z" })).status).toBe(401);
    expect((await ask("POST /console/api/codes", null, { json: { token } })).status).toBe(404);
    expect((await local({ token }, "https://127.0.0.1")).status).toBe(404);
  });

  it("logs in once, within five minutes, of two at the same time one", async () => {
    const { code } = (await local({ token })).body;
    const both = await Promise.all([1, 2].map(() => ask("POST /console/api/session", null, { json: { code } })));
    expect(both.map(({ status }) => status).sort()).toEqual([201, 401]);
    const late = (await local({ token })).body.code;
    pass(300);
    expect((await ask("POST /console/api/session", null, { json: { code: late } })).status).toBe(401);
  });

  it("is none where the key that signed its token is retired", async () => {
    const { code } = (await local({ token })).body;
    const anew = callWith({ SIGNING_KEY: FOREIGN_SIGNING_KEY });
    expect((await anew("POST /console/api/session", { token: null, json: { code }, headers: OWN_PAGE })).status).toBe(401);
  });

  it("is in no log and no row", async () => {
    const lines = vi.spyOn(console, "log");
    const { code } = (await local({ token })).body;
    const kept = JSON.stringify((await env.DB.prepare("SELECT * FROM login_codes").all()).results);
    await ask("POST /console/api/session", null, { json: { code } });
    expect(JSON.stringify(lines.mock.calls) + kept + JSON.stringify(await eventsOf(org))).not.toContain(code);
    lines.mockRestore();
  });
});

describe("the page", () => {
  const page = (path: string, headers: Record<string, string> = {}) => worker(`GET ${path}`, { token: null, headers });

  it("is the same at each address, with a policy that lets nothing in but its own files", async () => {
    const first = await page("/console");
    expect([first.status, first.headers.get("Content-Type")]).toEqual([200, expect.stringContaining("text/html")]);
    const policy = first.headers.get("Content-Security-Policy") ?? "";
    for (const part of [
      "default-src 'none'",
      "script-src 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "form-action 'none'",
      "require-trusted-types-for 'script'",
    ])
      expect(policy).toContain(part);
    expect(policy).not.toMatch(/unsafe|\*|https?:|data:/);
    for (const path of ["/console/", "/console/secrets", "/console/secrets/sec_1", "/console/login?x=1"]) expect((await page(path)).text).toBe(first.text);
    const [script = ""] = /\/console\/console-[A-Z0-9]+\.js/.exec(first.text) ?? [];
    const { status, headers } = await page(script);
    expect([status, headers.get("Content-Type"), headers.get("Cache-Control")]).toEqual([
      200,
      expect.stringContaining("javascript"),
      "public, max-age=31536000, immutable",
    ]);
    expect((await page("/console/none-there.js")).status).toBe(404);
    expect((await worker("POST /console/secrets", { token: null })).status).toBe(405);
    expect((await worker("PUT /", { token: null })).status).toBe(405);
  });

  it("is where a person at the address itself is led, and a program is told what is here", async () => {
    const person = await page("/", { Accept: "text/html,application/xhtml+xml" });
    expect([person.status, person.headers.get("Location")]).toEqual([302, "/console"]);
    expect((await page("/")).body).toMatchObject({ console: "/console", documentation: "/docs" });
  });

  it("is said not to be there by a deployment that was made without it, and nothing else is the less for it", async () => {
    const without = callWith({ CONSOLE: undefined });
    expect((await without("GET /console", { token: null })).body).toMatchObject({
      code: "route-not-found",
      detail: expect.stringContaining("without a console"),
    });
    expect((await without("GET /v1/whoami", { token })).status).toBe(200);
  });
});
