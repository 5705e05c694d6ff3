import { createExecutionContext, createScheduledController, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { settleCiphertexts } from "../../src/worker/secrets/settle-ciphertexts.ts";
import worker from "../../src/worker/worker.ts";
import { at, call, put, resolve } from "../support/call.ts";

const MINUTE = 60_000;
const START = Date.parse("2026-12-01T00:00:00Z");

interface Row {
  readonly ciphertext: string | null;
  readonly kv_key: string;
  readonly kv_put_at: number | null;
}

const rowOf = async (name: string): Promise<Row> => {
  const sql = "SELECT v.ciphertext, v.kv_key, v.kv_put_at FROM versions v JOIN secrets s ON s.id = v.secret_id WHERE s.name = ? AND v.version = s.version";
  const row = await env.DB.prepare(sql).bind(name).first<Row>();
  if (!row) throw new Error(`there is no ${name}`);
  return row;
};
const settle = (minutes: number) => settleCiphertexts({ db: env.DB, kv: env.KV, now: new Date(START + minutes * MINUTE) });
const inKv = (key: string) => env.KV.list({ prefix: key }).then(({ keys }) => keys.length === 1);
const recorded = (name: string) => vi.waitFor(async () => expect((await rowOf(name)).kv_put_at).not.toBeNull(), { interval: 5 });

/** Sets a secret whose ciphertext does not get into KV after the reply. */
async function putWithoutKv(name: string): Promise<Row> {
  const failing = vi.spyOn(env.KV, "put").mockRejectedValue(new Error("KV is down"));
  expect((await put("global", name, "v")).status).toBe(201);
  await vi.waitFor(() => expect(failing).toHaveBeenCalled(), { interval: 5 });
  failing.mockRestore();
  return rowOf(name);
}

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: START });
  await env.DB.batch([
    env.DB.prepare("INSERT OR IGNORE INTO kv_removals (kv_key, noted_at) SELECT kv_key, 0 FROM versions"),
    env.DB.prepare("DELETE FROM secrets"),
    env.DB.prepare("DELETE FROM kv_removals"),
  ]);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("a write", () => {
  it("is inline in D1 first, and in KV and on record there after the reply", async () => {
    const kvPut = vi.spyOn(env.KV, "put");
    await put("global", "WRITTEN", "v");
    const row = await rowOf("WRITTEN");
    expect(row.ciphertext).toMatch(/^v2:/);
    await recorded("WRITTEN");
    expect(kvPut).toHaveBeenCalledExactlyOnceWith(row.kv_key, row.ciphertext);
    expect((await rowOf("WRITTEN")).kv_put_at).toBe(START);
    expect(await env.KV.get(row.kv_key)).toBe(row.ciphertext);
  });

  it("is acknowledged, and resolved, while KV is down", async () => {
    vi.spyOn(env.KV, "put").mockRejectedValue(new Error("KV is down"));
    vi.spyOn(env.KV, "get").mockRejectedValue(new Error("KV is down"));
    const error = vi.spyOn(console, "error").mockReturnValue();
    expect((await put("global", "KV_DOWN", "v")).status).toBe(201);
    await vi.waitFor(() => expect(error).toHaveBeenCalledTimes(1), { interval: 5 });
    expect(JSON.parse(error.mock.calls[0]?.[0])).toMatchObject({ level: "error", event: "deferred", request_id: expect.stringMatching(/^req_/) });
    expect((await resolve({ names: ["KV_DOWN"] })).body.secrets.KV_DOWN.value).toBe("v");
  });

  it("never puts two values under one key", async () => {
    const kvPut = vi.spyOn(env.KV, "put");
    for (const value of ["1", "2", "3"]) await put("global", "KEYS", value);
    await vi.waitFor(() => expect(kvPut).toHaveBeenCalledTimes(3), { interval: 5 });
    expect(new Set(kvPut.mock.calls.map(([key]) => key)).size).toBe(3);
  });
});

describe("the scheduled run", () => {
  it("puts what is missing in KV, but leaves a new write time to do so itself", async () => {
    const { kv_key, ciphertext } = await putWithoutKv("LATE");
    expect(await settle(0.9)).toEqual({ put: 0, cleared: 0, removed: 0 });
    expect(await settle(1)).toEqual({ put: 1, cleared: 0, removed: 0 });
    expect(await env.KV.get(kv_key)).toBe(ciphertext);
    expect(await rowOf("LATE")).toMatchObject({ ciphertext, kv_put_at: START + MINUTE });
    expect(await settle(2)).toEqual({ put: 0, cleared: 0, removed: 0 });
  });

  it("clears an inline copy when KV has had it for five minutes, and the value comes from KV then", async () => {
    await put("global", "CLEARED", "from kv");
    await recorded("CLEARED");
    expect((await settle(4.99)).cleared).toBe(0);
    expect((await rowOf("CLEARED")).ciphertext).not.toBeNull();
    expect((await settle(5)).cleared).toBe(1);
    expect((await rowOf("CLEARED")).ciphertext).toBeNull();
    const get = vi.spyOn(env.KV, "get");
    expect((await resolve({ names: ["CLEARED"] })).body.secrets.CLEARED.value).toBe("from kv");
    expect(get).toHaveBeenCalledTimes(1);
    expect((await put("global", "CLEARED", "from kv")).body.changed).toBe(false);
  });

  it.each([
    ["missing", (key: string) => env.KV.delete(key)],
    ["another text", (key: string) => env.KV.put(key, "v1:other")],
  ])("keeps the inline copy when KV's is %s, and puts it again", async (_, spoil) => {
    await put("global", "SPOILED", "v");
    await recorded("SPOILED");
    const { kv_key, ciphertext } = await rowOf("SPOILED");
    await spoil(kv_key);
    expect(await settle(6)).toMatchObject({ put: 0, cleared: 0 });
    expect(await rowOf("SPOILED")).toEqual({ kv_key, ciphertext, kv_put_at: null });
    expect(await settle(7)).toMatchObject({ put: 1, cleared: 0 });
    expect((await settle(12)).cleared).toBe(1);
    expect((await resolve({ names: ["SPOILED"] })).body.secrets.SPOILED.value).toBe("v");
  });

  it("removes the ciphertexts of a purged secret from KV, inline or not", async () => {
    await put("global", "REMOVED", "1");
    await recorded("REMOVED");
    const keys = [(await rowOf("REMOVED")).kv_key];
    await settle(6);
    await put("global", "REMOVED", "2");
    await recorded("REMOVED");
    keys.push((await rowOf("REMOVED")).kv_key);
    await call(`DELETE ${at("global", "REMOVED")}?purge=true`);
    for (const key of keys) expect(await inKv(key)).toBe(true);
    expect((await settle(60)).removed).toBe(2);
    for (const key of keys) expect(await inKv(key)).toBe(false);
    expect((await settle(61)).removed).toBe(0);
  });

  it("takes its time from the clock, whatever time the run is said to be for", async () => {
    const { kv_key } = await putWithoutKv("NOT_YET");
    await worker.scheduled(createScheduledController({ scheduledTime: Date.parse("2100-01-01T00:00:00Z") }), env);
    expect(await inKv(kv_key)).toBe(false);
  });

  it("runs when the platform schedules it", async () => {
    const { kv_key } = await putWithoutKv("SCHEDULED");
    const context = createExecutionContext();
    vi.setSystemTime(START + 2 * MINUTE);
    await worker.scheduled(createScheduledController({ cron: "* * * * *" }), env);
    await waitOnExecutionContext(context);
    expect(await inKv(kv_key)).toBe(true);
  });

  it("does no harm when two run at once", async () => {
    await putWithoutKv("TWICE");
    await Promise.all([settle(2), settle(2)]);
    await Promise.all([settle(8), settle(8)]);
    expect((await rowOf("TWICE")).ciphertext).toBeNull();
    expect((await resolve({ names: ["TWICE"] })).body.secrets.TWICE.value).toBe("v");
  });
});

describe("what fails is done by the next run", () => {
  it("when KV fails to put one of two", async () => {
    await putWithoutKv("FAILS_ONE");
    await putWithoutKv("FAILS_TWO");
    const failing = vi.spyOn(env.KV, "put").mockRejectedValueOnce(new Error("KV is down"));
    expect((await settle(2)).put).toBe(1);
    failing.mockRestore();
    expect((await settle(3)).put, "what failed is in quarantine for five minutes").toBe(0);
    expect((await settle(8)).put).toBe(1);
  });

  it("when D1 fails to record a put", async () => {
    await putWithoutKv("UNRECORDED");
    failBatch(2);
    await expect(settle(2)).rejects.toThrow();
    vi.restoreAllMocks();
    expect((await settle(3)).put).toBe(1);
    expect((await settle(9)).cleared).toBe(1);
    expect((await resolve({ names: ["UNRECORDED"] })).status).toBe(200);
  });

  it("when KV fails to be read before an inline copy is cleared", async () => {
    await put("global", "UNREAD", "v");
    await recorded("UNREAD");
    vi.spyOn(env.KV, "get").mockRejectedValueOnce(new Error("KV is down"));
    await expect(settle(6)).rejects.toThrow();
    expect((await rowOf("UNREAD")).ciphertext).not.toBeNull();
    expect((await settle(7)).cleared).toBe(1);
  });

  it("when KV fails to delete, or D1 to forget", async () => {
    await put("global", "STUCK", "v");
    await recorded("STUCK");
    const { kv_key } = await rowOf("STUCK");
    await call(`DELETE ${at("global", "STUCK")}?purge=true`);
    vi.spyOn(env.KV, "delete").mockRejectedValueOnce(new Error("KV is down"));
    expect((await settle(30)).removed).toBe(0);
    expect((await settle(31)).removed, "what failed goes to the end of the queue").toBe(0);
    failBatch(4);
    await expect(settle(51)).rejects.toThrow();
    vi.restoreAllMocks();
    expect((await settle(52)).removed).toBe(1);
    expect(await inKv(kv_key)).toBe(false);
  });
});

describe("what is asked of KV", () => {
  const noted = () => env.DB.prepare("SELECT COUNT(*) AS n FROM kv_removals").first<number>("n");
  beforeEach(async () => {
    const many =
      "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50) INSERT INTO kv_removals (kv_key, noted_at) SELECT 'c_' || i, 0 FROM n";
    await env.DB.prepare(many).run();
  });

  it("is asked six at a time, so that a read of somebody else waits for few", async () => {
    let [underWay, most] = [0, 0];
    vi.spyOn(env.KV, "delete").mockImplementation(async () => {
      most = Math.max(most, ++underWay);
      await scheduler.wait(0);
      underWay--;
    });
    expect((await settle(30)).removed).toBe(50);
    expect([most, await noted()]).toEqual([6, 0]);
  });

  it("goes on after a refusal, and ends with what takes too long: the others stay as they were", async () => {
    const late = new DOMException("the deadline has passed", "TimeoutError");
    const asked = vi.spyOn(env.KV, "delete").mockRejectedValueOnce(new Error("no")).mockResolvedValue();
    expect((await settle(30)).removed).toBe(49);
    asked.mockReset();
    await env.DB.prepare("INSERT INTO kv_removals (kv_key, noted_at) SELECT 'd_' || value, 0 FROM json_each('[1,2,3,4,5,6,7,8,9,10,11,12,13,14]')").run();
    asked.mockRejectedValue(late);
    expect((await settle(31)).removed).toBe(0);
    expect(asked.mock.calls.length).toBeLessThanOrEqual(6);
    const { results } = await env.DB.prepare("SELECT kv_key FROM kv_removals WHERE noted_at = 0").all();
    expect(results.length).toBe(14 - asked.mock.calls.length);
  });
});

it("answers 503 with Retry-After, and never 404, for a committed value whose KV copy is missing", async () => {
  await put("global", "LOST", "v");
  await recorded("LOST");
  const { kv_key } = await rowOf("LOST");
  await settle(6);
  await env.KV.delete(kv_key);
  const { status, body, headers } = await resolve({ names: ["LOST"] });
  expect([status, body.code, headers.get("Retry-After")]).toEqual([503, "storage-unavailable", "2"]);
  expect((await resolve({ names: ["LOST"], allow_missing: true })).body).toMatchObject({
    missing: [],
    unavailable: [{ name: "LOST", reason: "not-here-yet" }],
  });
  expect((await put("global", "LOST", "again")).body.version).toBe(2);
});

/** Lets the n-th batch from now fail. */
function failBatch(n: number): void {
  const batch = env.DB.batch.bind(env.DB);
  let count = 0;
  vi.spyOn(env.DB, "batch").mockImplementation((statements) => (++count === n ? Promise.reject(new Error("D1_ERROR: down")) : batch(statements)) as never);
}
