import { env } from "cloudflare:workers";
import { Webhook, WebhookVerificationError } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Env, loadConfig } from "../../src/worker/config.ts";
import { deliverMessages } from "../../src/worker/webhooks/deliver-messages.ts";
import { queueMessages } from "../../src/worker/webhooks/queue-messages.ts";
import { type Fault, faultsFor, watch } from "../faults/binding-faults.ts";
import { at, type CallOptions, call, put, type Reply } from "../support/call.ts";
import { callWith } from "../support/call-with.ts";
import { eventsOf } from "../support/events-of.ts";
import { mint } from "../support/mint.ts";
import { sealByHand } from "../support/seal-by-hand.ts";
import { sign } from "../support/sign.ts";

const START = Date.parse("2026-12-01T00:00:00Z");
const MINUTE = 60_000;
const DAY = 86_400_000;
const HOOK = "https://hooks.example.com/in";
const ALL = ["secret.rotation_due", "secret.expiring", "secret.expired", "calls.refused", "integrity.failed"];

/** What was sent outward, and with what it is answered. */
let sent: { readonly url: string; readonly headers: Record<string, string>; readonly body: string }[] = [];
let answer: (url: string) => Response | Promise<Response> = () => new Response("thanks");
let count = 0;

beforeEach(async () => {
  sent = [];
  answer = () => new Response("thanks");
  vi.useFakeTimers({ toFake: ["Date"], now: START });
  for (const method of ["log", "error"] as const) vi.spyOn(console, method).mockReturnValue();
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const request = new Request(input as RequestInfo, init as RequestInit);
    sent.push({ url: request.url, headers: Object.fromEntries(request.headers), body: await request.text() });
    return answer(request.url);
  });
  await env.DB.prepare("DELETE FROM webhooks").run();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const newOrg = () => `hooked-${count++}`;
const hook = (org: string, fields: object = {}, options: CallOptions = {}, name = "w") =>
  call(`PUT /v1/webhooks/${name}`, { token: { org }, json: { url: HOOK, events: ALL, ...fields }, ...options });
const needs = async (worker: Env = env) => ({ ...(await loadConfig(worker)), db: worker.DB, now: new Date() });
/** A scheduled run's part of it, at a time after the start. */
async function run(after: number): Promise<void> {
  vi.setSystemTime(START + after);
  await queueMessages(await needs());
  await deliverMessages(await needs());
}
const types = () => sent.map(({ body }) => JSON.parse(body).type);
const refuse = (org: string) => call("GET /v1/secrets", { token: { org, scope: "" } });
const deliveries = async (org: string) => (await call("GET /v1/webhooks/w/deliveries", { token: { org } })).body.deliveries;
const log = async (org: string) => (await call("GET /v1/audit", { token: { org } })).body.events;
const secretsIn = (n: number) => JSON.parse(sent[n]?.body ?? "{}").data.secrets;

describe("a webhook", () => {
  it("is given its secret once, is shown without it, and is replaced, listed and deleted", async () => {
    const org = newOrg();
    const token = await sign({ org });
    const made = await hook(org, {}, { token });
    expect([made.status, made.body.secret]).toEqual([201, expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/)]);
    const { secret, ...shown } = made.body;
    expect((await call("GET /v1/webhooks/w", { token: { org } })).body).toEqual(shown);
    expect((await hook(org, {}, { token })).body).toEqual(shown);
    const other = await hook(org, { events: ["calls.refused"] });
    expect([other.status, other.body.revision, "secret" in other.body]).toEqual([200, 2, false]);
    const moved = await hook(org, { url: `${HOOK}/elsewhere`, events: ["calls.refused"] });
    expect(moved.body.secret).not.toBe(secret);
    expect((await call("GET /v1/webhooks", { token: { org } })).body.webhooks).toHaveLength(1);
    const stored = JSON.stringify((await env.DB.prepare("SELECT * FROM webhooks WHERE org = ?").bind(org).all()).results);
    expect([stored.includes("whsec_"), stored.includes(moved.body.secret.slice(6))]).toEqual([false, false]);
    expect((await call("DELETE /v1/webhooks/w", { token: { org } })).status).toBe(204);
    expect((await call("GET /v1/webhooks/w", { token: { org } })).body.code).toBe("webhook-not-found");
  });

  it.each([
    "http://hooks.example.com/",
    "https://10.0.0.1/",
    "https://localhost/",
    "https://hooks.example.com:8443/",
    "https://user@hooks.example.com/",
    "https://keyhole.test/v1/secrets",
    "https://[::1]/",
    "https://hooks.internal/",
    "ftp://hooks.example.com/",
    "https://hooks.example.com/#a",
  ])("is not at %s", async (url) => {
    const reply = await hook(newOrg(), { url });
    expect([reply.status, reply.body.errors[0].pointer]).toEqual([400, "/url"]);
  });

  it("is told nothing that its maker may not read", async () => {
    const org = newOrg();
    const as = (scope: string) => ({ token: { org, scope } });
    expect(await hook(org, { events: ["secret.expired"] }, as("webhooks:write audit:read"))).toMatchObject({ status: 403 });
    expect(await hook(org, { events: ["calls.refused"] }, as("webhooks:write secrets:read"))).toMatchObject({ status: 403 });
    await hook(
      org,
      { events: ["secret.expired"] },
      { token: { org, scope: "webhooks:write secrets:read", secret_scopes: ["team:mine"], secret_names: ["A*"] } },
    );
    for (const [scope, name] of [
      ["team:mine", "A"],
      ["team:mine", "B"],
      ["team:others", "A"],
    ] as const)
      await put(scope, name, "value", { token: { org }, fields: { expires_at: new Date(START + MINUTE).toISOString() } });
    // Who could not have made it neither replaces it nor is given its secret.
    expect(await hook(org, { events: ["calls.refused"] }, as("webhooks:write audit:read"))).toMatchObject({ status: 403 });
    expect(await call("POST /v1/webhooks/w/rotate", as("webhooks:write audit:read"))).toMatchObject({ status: 403 });
    const rotated = async (limits: object) =>
      (await call("POST /v1/webhooks/w/rotate", { token: { org, scope: "webhooks:write secrets:read", ...limits } })).status;
    for (const limits of [{ secret_scopes: ["team:others"] }, { secret_names: ["AB*"] }]) expect([limits, await rotated(limits)]).toEqual([limits, 403]);
    expect(await rotated({ secret_scopes: ["team:*"], secret_names: ["A*"], services: ["openai"] })).toBe(200);
    await run(2 * MINUTE);
    expect(types()).toEqual(["secret.expired"]);
    expect(secretsIn(0)).toEqual([expect.objectContaining({ scope: "team:mine", name: "A" })]);
    expect(sent[0]?.body).not.toContain("value");
  });

  it("that somebody else has made of it, or that is elsewhere, is not told what waited, nor what was found for the one before", async () => {
    const org = newOrg();
    const events = ["secret.expired"];
    const mine = { token: { org, scope: "webhooks:write secrets:read", secret_scopes: ["team:mine"] } };
    const expire = (name: string, after: number) =>
      put("team:others", name, "v", { token: { org }, fields: { expires_at: new Date(START + after).toISOString() } });
    const token = await sign({ org });
    await hook(org, { events }, { token });
    await expire("A", MINUTE);
    vi.setSystemTime(START + 2 * MINUTE);
    await queueMessages(await needs());
    expect((await deliveries(org)).map(({ state }: { state: string }) => state)).toEqual(["waiting"]);
    // The same maker changes what it is told of, and nothing that waits is lost.
    expect(await hook(org, { events: [...events, "secret.expiring"] }, { token })).toMatchObject({ status: 200 });
    expect(await deliveries(org)).toHaveLength(1);
    expect(await hook(org, { events }, mine)).toMatchObject({ status: 200 });
    expect(await deliveries(org)).toEqual([]);
    await run(3 * MINUTE);
    expect(sent).toEqual([]);
    // A run that has read the one before ends after it was replaced.
    await hook(org, { events }, { token });
    await expire("B", 4 * MINUTE);
    vi.setSystemTime(START + 5 * MINUTE);
    const batch = env.DB.batch.bind(env.DB);
    let replaced = false;
    const DB = new Proxy(env.DB, {
      get: (db, member) => {
        const value = Reflect.get(db, member);
        if (member !== "batch") return typeof value === "function" ? value.bind(db) : value;
        return async (statements: D1PreparedStatement[]) => {
          const results = await batch(statements);
          if (!replaced && results.some(({ results: rows }) => (rows as { name?: string }[]).some(({ name }) => name === "w"))) {
            replaced = true;
            expect(await hook(org, { events }, mine)).toMatchObject({ status: 200 });
          }
          return results;
        };
      },
    });
    await queueMessages(await needs({ ...env, DB })).catch(() => undefined);
    expect(replaced).toBe(true);
    await run(6 * MINUTE);
    expect(sent).toEqual([]);
  });

  it("ends when the token that it was made with is revoked, and is not told what waited", async () => {
    const org = newOrg();
    const { id, token } = await mint({ permissions: ["webhooks:write", "audit:read"] }, { token: { org } });
    await hook(org, { events: ["calls.refused"], refused_per_minute: 1 }, { token });
    await refuse(org);
    await queueMessages(await needs());
    expect(await deliveries(org)).toHaveLength(1);
    await call(`DELETE /v1/tokens/${id}`, { token: { org } });
    await deliverMessages(await needs());
    await run(MINUTE);
    expect(sent).toEqual([]);
    expect((await call("GET /v1/webhooks", { token: { org } })).body.webhooks).toEqual([]);
    expect((await log(org))[0]).toMatchObject({ action: "webhook.delete", actor: "keyhole:scheduled", target: "w" });
  });

  it("is bounded by a quota", async () => {
    const small = callWith({ QUOTAS: JSON.stringify({ webhooks: 1 }) });
    const [token, json] = [{ org: newOrg() }, { url: HOOK, events: ALL }];
    expect((await small("PUT /v1/webhooks/a", { token, json })).status).toBe(201);
    expect(await small("PUT /v1/webhooks/b", { token, json })).toMatchObject({ status: 422, body: { code: "quota-exceeded" } });
  });
});

describe("a message", () => {
  it("is signed as the library of Standard Webhooks verifies it, by both secrets for a day after a rotation", async () => {
    const org = newOrg();
    const first: string = (await hook(org, { refused_per_minute: 1 })).body.secret;
    const second: string = (await call("POST /v1/webhooks/w/rotate", { token: { org } })).body.secret;
    expect((await call("POST /v1/webhooks/w/test", { token: { org } })).body).toEqual({ delivered: true, status: 200, detail: "The message was taken." });
    const [{ headers, body } = expect.fail("nothing was sent")] = sent;
    for (const secret of [first, second])
      expect(new Webhook(secret).verify(body, headers)).toEqual({ type: "webhook.test", timestamp: "2026-12-01T00:00:00.000Z", data: { org } });
    expect(() => new Webhook(second).verify(`${body} `, headers)).toThrow(WebhookVerificationError);
    await refuse(org);
    await run(DAY + MINUTE);
    const late = sent.at(-1) ?? expect.fail("nothing was sent");
    expect(new Webhook(second).verify(late.body, late.headers)).toMatchObject({ type: "calls.refused", data: { refused: 1 } });
    expect(() => new Webhook(first).verify(late.body, late.headers)).toThrow(WebhookVerificationError);
    expect((await eventsOf(org)).map(({ action }) => action)).toContain("webhook.test");
  });

  it("tells once of what is due for rotation, expires soon and has expired, and again only after a change", async () => {
    const org = newOrg();
    await hook(org);
    const token = { org };
    await put("global", "SOON", "value", { token, fields: { expires_at: new Date(START + 10 * DAY).toISOString() } });
    await put("global", "OLD", "value", { token, fields: { rotate_after_days: 1 } });
    await run(MINUTE);
    expect(types()).toEqual([]);
    await run(DAY + MINUTE);
    expect(types()).toEqual(["secret.rotation_due"]);
    await run(3 * DAY + MINUTE);
    await run(3 * DAY + 2 * MINUTE);
    expect(types()).toEqual(["secret.rotation_due", "secret.expiring"]);
    await run(10 * DAY + MINUTE);
    expect(types()).toEqual(["secret.rotation_due", "secret.expiring", "secret.expired"]);
    expect(secretsIn(2)).toEqual([{ id: expect.stringMatching(/^sec_/), scope: "global", name: "SOON", version: 1, expires_at: "2026-12-11T00:00:00.000Z" }]);
    // What was due before it was said that it has to be rotated.
    await put("global", "NEVER", "value", { token });
    await run(20 * DAY);
    await call(`PATCH /v1/secrets/${(await call(`GET ${at("global", "NEVER")}`, { token })).body.id}`, { token, json: { rotate_after_days: 5 } });
    await run(20 * DAY + MINUTE);
    await run(20 * DAY + 2 * MINUTE);
    expect(types().slice(3)).toEqual(["secret.rotation_due"]);
    expect(secretsIn(3)).toEqual([expect.objectContaining({ name: "NEVER" })]);
  });

  it("tells of refused calls above the threshold, once an hour, and of findings by their numbers", async () => {
    const org = newOrg();
    await hook(org, { refused_per_minute: 3, events: ["calls.refused", "integrity.failed"] });
    for (let n = 0; n < 2; n++) await refuse(org);
    await run(30_000);
    expect(types()).toEqual([]);
    // They are counted together with those of the same minute.
    await refuse(org);
    await run(MINUTE);
    expect(sent.map(({ body }) => JSON.parse(body).data)).toEqual([{ org, minute: "2026-12-01T00:00:00.000Z", refused: 3 }]);
    for (let n = 0; n < 3; n++) await refuse(org);
    await run(2 * MINUTE);
    expect(sent).toHaveLength(1);
    await put("global", "BENT", "value", { token: { org } });
    await env.DB.prepare("UPDATE secrets SET expires_at = 1 WHERE org = ?").bind(org).run();
    await call("POST /v1/resolve", { token: { org }, json: { names: ["BENT"] } });
    await run(3 * MINUTE);
    const found = (await log(org)).filter(({ action }: { action: string }) => action === "integrity.failed").map(({ seq }: { seq: number }) => seq);
    expect(found.length).toBeGreaterThan(0);
    expect(JSON.parse(sent[1]?.body ?? "")).toMatchObject({ type: "integrity.failed", data: { org, events: found, more: false } });
  });

  it("is tried again, later each time, with the same id, and given up after ten attempts with a record", async () => {
    const org = newOrg();
    await hook(org, { refused_per_minute: 1 });
    answer = () => new Response("no", { status: 500 });
    await refuse(org);
    await run(MINUTE);
    expect(await deliveries(org)).toEqual([expect.objectContaining({ state: "waiting", attempts: 1, status: 500, next_at: "2026-12-01T00:02:00.000Z" })]);
    await run(MINUTE + 30_000);
    expect(sent).toHaveLength(1);
    for (let hours = 1; hours < 110; hours++) await run(hours * 60 * MINUTE);
    expect([sent.length, new Set(sent.map(({ headers }) => headers["webhook-id"])).size]).toEqual([10, 1]);
    expect(await deliveries(org)).toEqual([expect.objectContaining({ state: "given-up", attempts: 10, status: 500, next_at: null })]);
    expect((await eventsOf(org)).at(-1)).toMatchObject({
      action: "webhook.give-up",
      outcome: "failed",
      target: expect.stringMatching(/^w calls\.refused msg_/),
    });
  });

  it("is not sent where it may not go any more, or nobody answers, and no redirect is followed", async () => {
    const org = newOrg();
    await hook(org);
    answer = () => Promise.reject(new TypeError("connection refused"));
    expect((await call("POST /v1/webhooks/w/test", { token: { org } })).body).toMatchObject({ delivered: false, status: null });
    answer = () => new Response(null, { status: 302, headers: { Location: "https://elsewhere.example.com/" } });
    expect((await call("POST /v1/webhooks/w/test", { token: { org } })).body).toMatchObject({ delivered: false, status: 302 });
    expect(sent.map(({ url }) => url)).toEqual([HOOK, HOOK]);
    const own = callWith({ USE_HOSTS: JSON.stringify({ "hooks.example.com": "echo" }) });
    expect((await own("POST /v1/webhooks/w/test", { token: { org } })).body).toMatchObject({ delivered: false, detail: "Nothing is sent to that address." });
    expect(sent).toHaveLength(2);
  });

  it("waits with what is new as long as many wait, and nobody's stop those of other organizations", async () => {
    const [loud, quiet] = [newOrg(), newOrg()];
    for (let n = 0; n < 19; n++) await hook(loud, { refused_per_minute: 1, url: `${HOOK}/loud` }, {}, `w${n}`);
    await hook(loud, { refused_per_minute: 1, url: `${HOOK}/loud` });
    await hook(quiet, { refused_per_minute: 1 });
    answer = (url) => new Response(null, { status: url === HOOK ? 200 : 500 });
    for (const org of [loud, quiet]) await refuse(org);
    await run(MINUTE);
    expect((await deliveries(quiet)).map(({ state }: { state: string }) => state)).toEqual(["delivered"]);
    for (let hours = 2; hours < 60; hours += 2) {
      vi.setSystemTime(START + hours * 60 * MINUTE);
      await refuse(loud);
      await queueMessages(await needs());
    }
    expect(await deliveries(loud)).toHaveLength(20);
  });

  it("that somebody has put into the database, or changed there, is not sent, nor to an address that somebody has changed", async () => {
    const org = newOrg();
    await hook(org, { refused_per_minute: 1 });
    await refuse(org);
    await queueMessages(await needs());
    await env.DB.prepare("UPDATE webhook_deliveries SET payload = ? WHERE org = ?").bind('{"type":"forged"}', org).run();
    await expect(deliverMessages(await needs())).rejects.toThrow(AggregateError);
    expect(await call("GET /v1/webhooks/w/deliveries", { token: { org } })).toMatchObject({ status: 500, body: { code: "integrity-failed" } });
    await sealByHand("webhook_deliveries", `org = '${org}'`);
    await env.DB.prepare("UPDATE webhooks SET definition = replace(definition, 'hooks.', 'others.') WHERE org = ?").bind(org).run();
    vi.setSystemTime(START + 5 * MINUTE);
    await expect(deliverMessages(await needs())).rejects.toThrow(AggregateError);
    await expect(queueMessages(await needs())).rejects.toThrow(AggregateError);
    expect(sent).toEqual([]);
    await env.DB.prepare("DELETE FROM integrity_failures WHERE org = ?").bind(org).run();
  });
});

describe("a scheduled run that breaks off", () => {
  const SERIES = faultsFor(0, 1).map((_, series) => (nth: number) => faultsFor(nth, 1)[series] as Fault);

  /** Does it with a fault at one of its calls of a binding. */
  async function broken(work: (of: Awaited<ReturnType<typeof needs>>) => Promise<unknown>, nth: number, fault: Fault): Promise<number> {
    const watched = watch(env, nth, fault);
    const done = needs(watched.env as Env)
      .then(work)
      .catch(() => "failed");
    await Promise.race([done, watched.stuck]);
    return watched.calls.length;
  }

  it.each(SERIES.map((fault, n) => [n, fault] as const))("queues an event once, whichever call it is (%i)", async (_, fault) => {
    for (let nth = 0, calls = 1; nth < calls; nth++) {
      const org = newOrg();
      await env.DB.prepare("DELETE FROM webhooks").run();
      await hook(org, { refused_per_minute: 1 });
      await refuse(org);
      calls = Math.max(calls, await broken(queueMessages, nth, fault(nth)));
      await queueMessages(await needs());
      expect(await deliveries(org), `call ${nth}`).toHaveLength(1);
    }
  });

  it.each(SERIES.map((fault, n) => [n, fault] as const))(
    "delivers a message at least once, always with the same id, whichever call it is (%i)",
    async (_, fault) => {
      for (let nth = 0, calls = 1; nth < calls; nth++) {
        const org = newOrg();
        sent = [];
        vi.setSystemTime(START);
        await env.DB.prepare("DELETE FROM webhooks").run();
        await hook(org, { refused_per_minute: 1 });
        await refuse(org);
        await queueMessages(await needs());
        calls = Math.max(calls, await broken(deliverMessages, nth, fault(nth)));
        await run(2 * MINUTE);
        expect(
          (await deliveries(org)).map(({ state }: { state: string }) => state),
          `call ${nth}`,
        ).toEqual(["delivered"]);
        expect(new Set(sent.map(({ headers }) => headers["webhook-id"])).size, `call ${nth}`).toBe(1);
      }
    },
  );
});

it("secrets of webhooks are under the current key, and counted under the one that they are under", async () => {
  const org = newOrg();
  await hook(org);
  const keys = async () => ((await call("GET /v1/keys", { token: { org } })) as Reply).body.keys.find(({ current }: { current: boolean }) => current).seals;
  const before = await keys();
  await env.DB.prepare("UPDATE webhooks SET signing = 't1:older:' || substr(signing, 4) WHERE org = ?").bind(org).run();
  expect(await keys()).toBe(before - 1);
});
