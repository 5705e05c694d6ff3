import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { digestLog } from "../../src/worker/log/digest-log.ts";
import { beginWork, budgetOf } from "../../src/worker/transaction/work-in-batches.ts";
import worker from "../../src/worker/worker.ts";
import { at, call, put, resolve } from "../support/call.ts";
import type { TokenClaims } from "../support/sign.ts";

const DAY = 86_400_000;
const START = Date.parse("2026-12-01T00:00:00.000Z");
const timeAt = (days: number) => new Date(START + days * DAY).toISOString();
const goTo = (days: number) => vi.setSystemTime(START + days * DAY);
const names = async (query: string, token: TokenClaims) =>
  (await call(`GET /v1/secrets?${query}`, { token })).body.secrets.map(({ name }: { name: string }) => name);
const get = async (name: string, token: TokenClaims) => (await call(`GET ${at("global", name)}`, { token })).body;
const note = () => digestLog({ db: env.DB, now: new Date() });
/** A run that may do a second's worth of statements. */
const noteSome = () => {
  const work = beginWork(env.DB, { clock: () => 0, rest: async () => {}, turn: async () => {} });
  return digestLog({ db: work.db, now: new Date(), budget: budgetOf(work, 1) });
};

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: START }));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("a secret that expires", () => {
  it("is resolved until then, and from then on is 410, to the millisecond", async () => {
    const token = { org: "expires" };
    const { body } = await put("global", "E", "v", { token, fields: { expires_at: timeAt(1) } });
    expect(body.expires_at).toBe(timeAt(1));
    vi.setSystemTime(START + DAY - 1);
    expect((await resolve({ names: ["E"] }, { token })).status).toBe(200);
    vi.setSystemTime(START + DAY);
    const late = await resolve({ names: ["E"] }, { token });
    expect([late.status, late.body.code, late.body.expired]).toEqual([410, "secret-expired", ["E"]]);
    expect((await resolve({ names: ["E"], allow_missing: true }, { token })).body).toMatchObject({ secrets: {}, missing: ["E"] });
    expect((await call("GET /v1/explain/E", { token })).body.candidates[0]).toMatchObject({ found: true, expired: true });
  });

  it("is never replaced by one in a wider scope or by a parent's", async () => {
    const token = { org: "expires-wide" };
    await call(`PUT /v1/scopes/${encodeURIComponent("repo:r")}`, { token, json: { parent: "namespace:n" } });
    for (const scope of ["namespace:n", "global"]) await put(scope, "E", "wide", { token });
    await put("repo:r", "E", "narrow", { token, fields: { expires_at: timeAt(1) } });
    goTo(2);
    expect((await resolve({ scopes: ["repo:r"], names: ["E"] }, { token })).status).toBe(410);
    await call(`DELETE ${at("repo:r", "E")}`, { token });
    expect((await resolve({ scopes: ["repo:r"], names: ["E"] }, { token })).body.secrets.E.scope).toBe("namespace:n");
  });

  it("lives again when its expiry is moved or cleared, and a new value alone does not move it", async () => {
    const token = { org: "expires-again" };
    const { body } = await put("global", "E", "1", { token, fields: { expires_at: timeAt(1) } });
    goTo(2);
    await put("global", "E", "2", { token });
    expect((await resolve({ names: ["E"] }, { token })).status).toBe(410);
    expect((await call(`PATCH /v1/secrets/${body.id}`, { token, json: { expires_at: timeAt(3) } })).body.version).toBe(2);
    expect((await resolve({ names: ["E"] }, { token })).body.secrets.E.value).toBe("2");
    goTo(4);
    await call(`PATCH /v1/secrets/${body.id}`, { token, json: { expires_at: null } });
    expect((await resolve({ names: ["E"] }, { token })).status).toBe(200);
  });

  it.each([
    ["2027-01-31T01:00:00+01:00", "2027-01-31T00:00:00.000Z"],
    ["2027-01-31T00:00:00.123456Z", "2027-01-31T00:00:00.123Z"],
    ["9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"],
    ["2026-12-01T00:00:00.001Z", "2026-12-01T00:00:00.001Z"],
  ])("takes %s as %s", async (given, expected) => {
    expect((await put("global", "E", "v", { token: { org: "times" }, fields: { expires_at: given } })).body.expires_at).toBe(expected);
  });

  it.each(["2027-02-30T00:00:00Z", "2027-01-31", "2027-01-31T00:00:00", "9999-12-31T23:59:59-01:00", "0000-01-01T00:00:00+01:00", 0, ""])(
    "does not take %j",
    async (expires_at) => {
      expect((await put("global", "E", "v", { token: { org: "times" }, fields: { expires_at } })).status).toBe(400);
    },
  );
});

describe("an expiry that has passed", () => {
  it.each([
    "2026-12-01T00:00:00.000Z",
    "2026-12-01T01:00:00+01:00",
    "2026-11-30T23:59:59.999Z",
    "2016-12-31T00:00:00Z",
    "1970-01-01T00:00:00Z",
    "0000-01-01T00:00:00Z",
  ])("is 400 wherever it is given: %s", async (expires_at) => {
    const token = { org: "passed" };
    const { body } = await put("global", "KEPT", "v", { token });
    const replies = [
      await put("global", "NEW", "v", { token, fields: { expires_at } }),
      await put("global", "KEPT", "w", { token, fields: { expires_at } }),
      await call("POST /v1/secrets", { token, json: { scope: "global", name: "NEW", value: "v", expires_at } }),
      await call(`PATCH /v1/secrets/${body.id}`, { token, json: { expires_at } }),
    ];
    for (const { status, body: problem } of replies)
      expect([status, problem.code, problem.errors?.[0].pointer]).toEqual([400, "invalid-request", "/expires_at"]);
    expect((await resolve({}, { token })).body.secrets).toMatchObject({ KEPT: { value: "v", version: 1 } });
    expect(await names("", token)).toEqual(["KEPT"]);
  });

  it("does not keep an expired secret from a new value, another description, or a later expiry", async () => {
    const token = { org: "passed-since" };
    const { body } = await put("global", "E", "1", { token, fields: { expires_at: timeAt(1) } });
    goTo(2);
    expect((await put("global", "E", "2", { token })).status).toBe(200);
    expect((await call(`PATCH /v1/secrets/${body.id}`, { token, json: { description: "d" } })).status).toBe(200);
    expect((await call(`PATCH /v1/secrets/${body.id}`, { token, json: { expires_at: timeAt(1) } })).status).toBe(400);
    expect((await call(`PATCH /v1/secrets/${body.id}`, { token, json: { expires_at: timeAt(3) } })).status).toBe(200);
  });
});

describe("a secret that is to be rotated", () => {
  it("is due so many days after its last value, and a new value or a rollback starts over, but not its metadata", async () => {
    const token = { org: "rotates" };
    const { body } = await put("global", "R", "1", { token, fields: { rotate_after_days: 2 } });
    const due = async () => (await get("R", token)).rotation_due;
    const dueAt = (days: number) => {
      goTo(days);
      return due();
    };
    expect([body.rotation_due, await dueAt(1.99), await dueAt(2)]).toEqual([false, false, true]);
    await put("global", "R", "1", { token, fields: { description: "the same value" } });
    expect(await due()).toBe(true);
    await put("global", "R", "2", { token });
    expect([await due(), await dueAt(3.99), await dueAt(4)]).toEqual([false, false, true]);
    await call(`POST /v1/secrets/${body.id}/rollback`, { token, json: { version: 1 } });
    expect([await due(), await dueAt(6)]).toEqual([false, true]);
    await call(`PATCH /v1/secrets/${body.id}`, { token, json: { rotate_after_days: 3 } });
    expect([await due(), await dueAt(7)]).toEqual([false, true]);
    await call(`PATCH /v1/secrets/${body.id}`, { token, json: { rotate_after_days: null } });
    expect(await due()).toBe(false);
    expect((await resolve({ names: ["R"] }, { token })).status).toBe(200);
  });
});

describe("the list of what is due", () => {
  it("follows the time, and goes with the other filters and with paging", async () => {
    const token = { org: "due" };
    await put("global", "A", "v", { token, fields: { expires_at: timeAt(1), labels: { a: "1" } } });
    await put("team:t", "B", "v", { token, fields: { expires_at: timeAt(2), rotate_after_days: 1 } });
    await put("global", "C", "v", { token, fields: { rotate_after_days: 3 } });
    await put("global", "D", "v", { token });
    const dueAt = async (days: number) => {
      goTo(days);
      return [await names("due=expiry", token), await names("due=rotation", token)];
    };
    expect(await dueAt(0)).toEqual([[], []]);
    expect(await dueAt(1)).toEqual([["A"], ["B"]]);
    expect(await dueAt(2)).toEqual([["A", "B"], ["B"]]);
    expect(await dueAt(3)).toEqual([
      ["A", "B"],
      ["B", "C"],
    ]);
    for (const [query, expected] of [
      ["kind=team", ["B"]],
      ["scope=global", ["A"]],
      ["prefix=B", ["B"]],
      ["name=A", ["A"]],
      ["label=a:1", ["A"]],
      ["label=a:2", []],
    ] as const)
      expect([query, await names(`due=expiry&${query}`, token)]).toEqual([query, expected]);
    expect(await names("due=expiry", { ...token, secret_scopes: ["team:*"] })).toEqual(["B"]);
    expect(await names("due=expiry", { ...token, secret_names: ["A*"] })).toEqual(["A"]);
    const first = await call("GET /v1/secrets?due=expiry&limit=1", { token });
    expect(await names(`due=expiry&limit=1&cursor=${first.body.next_cursor}`, token)).toEqual(["B"]);
  });
});

describe("when a secret was last resolved", () => {
  it("is in its metadata after the next scheduled run, with no write for it when it is resolved", async () => {
    const token = { org: "seen" };
    await put("global", "S", "v", { token });
    await put("global", "T", "v", { token });
    const { headers } = await call(`GET ${at("global", "S")}`, { token });
    goTo(1);
    const batch = vi.spyOn(env.DB, "batch");
    await resolve({ names: ["S"] }, { token });
    const results = (await Promise.all(batch.mock.results.map(({ value }) => value))).flat();
    // The audit event, and nothing else.
    expect(results.reduce((sum, { meta }) => sum + meta.changes, 0)).toBe(1);
    expect((await get("S", token)).last_resolved_at).toBeNull();
    goTo(1.5);
    await worker.scheduled({ scheduledTime: Date.now(), cron: "* * * * *", noRetry() {} }, env);
    expect([(await get("S", token)).last_resolved_at, (await get("T", token)).last_resolved_at]).toEqual([timeAt(1), null]);
    expect((await call(`GET ${at("global", "S")}`, { token })).headers.get("ETag")).toBe(headers.get("ETag"));
    goTo(2);
    await put("global", "S", "new", { token });
    await resolve({}, { token });
    await note();
    expect([(await get("S", token)).last_resolved_at, (await get("T", token)).last_resolved_at]).toEqual([timeAt(2), timeAt(2)]);
  });

  it("does not count what was refused, expired, or answered to explain", async () => {
    const token = { org: "unseen" };
    await put("global", "S", "v", { token, fields: { expires_at: timeAt(1) } });
    goTo(1);
    await resolve({ names: ["S"] }, { token });
    await resolve({ names: ["S"], allow_missing: true }, { token });
    await resolve({ names: ["S"] }, { token: { ...token, scope: "secrets:read" } });
    await call("GET /v1/explain/S", { token });
    await note();
    expect((await get("S", token)).last_resolved_at).toBeNull();
  });

  it("is that of any organization for a built-in secret", async () => {
    await put("global", "BUILT_IN", "v", { token: { org: "platform" } });
    goTo(3);
    await resolve({ names: ["BUILT_IN"] }, { token: { org: "guest" } });
    await note();
    expect((await get("BUILT_IN", { org: "platform" })).last_resolved_at).toBe(timeAt(3));
  });

  it("goes through a long log in bounded runs that continue where the last one stopped, also two at once", async () => {
    await note();
    await put("global", "S", "v", { token: { org: "long" } });
    await put("global", "S", "v", { token: { org: "short" } });
    const { id } = await get("S", { org: "long" });
    await env.DB.prepare(
      `WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
       INSERT INTO audit_events (org, seq, at, actor, action, outcome, secrets, request_id)
       SELECT 'long', i, ?1 + i, 'a', 'secret.resolve', 'allowed', json_array(json_object('id', ?2)), 'r' FROM n`,
    )
      .bind(START, id)
      .run();
    await resolve({ names: ["S"] }, { token: { org: "short" } });
    const seen = async () => Date.parse((await get("S", { org: "long" })).last_resolved_at ?? timeAt(0)) - START;
    const digested = await noteSome();
    expect(digested).toBeGreaterThan(1_000);
    expect(digested).toBeLessThan(20_000);
    const first = await seen();
    expect(first).toBeGreaterThan(digested - 100);
    expect(first).toBeLessThan(digested + 1);
    expect((await get("S", { org: "short" })).last_resolved_at).toBe(timeAt(0));
    await Promise.all([noteSome(), noteSome()]);
    expect(await seen()).toBeGreaterThan(first);
    while ((await noteSome()) > 0);
    expect(await seen()).toBe(30_000);
  });

  it("comes to every organization in turn, however much the others do", async () => {
    const busy = Array.from({ length: 60 }, (_, n) => `busy-${String(n).padStart(2, "0")}`);
    const doSomething = (round: number) =>
      env.DB.batch(
        busy.map((org) =>
          env.DB.prepare(
            `INSERT INTO audit_events (org, seq, at, actor, action, outcome, secrets, request_id)
             SELECT ?1, COALESCE(MAX(seq), 0) + 1, ?2, 'a', 'secret.read', 'denied', '[]', 'r' FROM audit_events WHERE org = ?1`,
          ).bind(org, START + round),
        ),
      );
    const token = { org: "zzz-last" };
    await put("global", "S", "v", { token });
    await resolve({ names: ["S"] }, { token });
    for (let round = 0; round < 3; round++) {
      goTo(1 + round);
      await doSomething(round);
      await note();
    }
    expect((await get("S", token)).last_resolved_at).toBe(timeAt(0));
  });

  it("loses nothing when a run fails between its reading and its writing", async () => {
    const token = { org: "crash" };
    await put("global", "S", "v", { token });
    await resolve({ names: ["S"] }, { token });
    const batch = env.DB.batch.bind(env.DB);
    let calls = 0;
    vi.spyOn(env.DB, "batch").mockImplementation(((list: D1PreparedStatement[]) =>
      ++calls === 2 ? Promise.reject(new Error("D1 is down")) : batch(list)) as never);
    await expect(note()).rejects.toThrow();
    vi.restoreAllMocks();
    await note();
    expect((await get("S", token)).last_resolved_at).toBe(timeAt(0));
  });
});
