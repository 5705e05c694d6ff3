import { env } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import { runScheduled } from "../../src/worker/scheduled.ts";
import { put } from "../support/call.ts";
import { sign } from "../support/sign.ts";
import { STILL } from "../support/still.ts";
import { openPlace } from "./place.ts";

const START = Date.parse("2026-11-26T12:00:00.000Z");
/** Dollars a million, on the Workers Paid plan beyond what it includes. */
const PRICES = { request: 0.3, rowWritten: 1, rowRead: 0.001, kvRead: 0.5 };
const GATEWAYS = 20;
const KEYS = 10;
const SECONDS = 60;
/** What the gateways ask for in a second. Repeats cost the same however many they are, so fewer of them are made here. */
const A_SECOND = 2_000;

afterEach(() => {
  vi.useRealTimers();
});

/** D1 with what its statements read and wrote, as it bills it. */
function metered(billed: { read: number; written: number }): D1Database {
  const count = <T extends D1Result>(result: T): T => {
    billed.read += result.meta.rows_read ?? 0;
    billed.written += result.meta.rows_written ?? 0;
    return result;
  };
  return new Proxy(env.DB, {
    get(target, name) {
      if (name === "batch") return async (statements: D1PreparedStatement[]) => (await target.batch(statements)).map(count);
      const member = Reflect.get(target, name) as unknown;
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

it("twenty gateways that resolve ten keys 2,000 times a second pay at most $0.50 a million, with everything that comes of their events", {
  timeout: 120_000,
}, async () => {
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: START });
  const billed = { read: 0, written: 0 };
  const DB = metered(billed);
  const place = openPlace({ DB });
  const admin = await sign({ org: "gateways" });
  for (let key = 0; key < KEYS; key += 1) await put("namespace:prod", `KEY_${key}`, "value", { token: admin });
  const tokens = await Promise.all(Array.from({ length: GATEWAYS }, (_, n) => sign({ org: "gateways", sub: `gateway ${n}` })));
  await runScheduled(env as never, new Date(), STILL);
  Object.assign(billed, { read: 0, written: 0 });

  for (let second = 0; second < SECONDS; second += 2) {
    for (const token of tokens) for (let key = 0; key < KEYS; key += 1) expect((await place.resolve(`KEY_${key}`, 60, { token })).status).toBe(200);
    await vi.advanceTimersByTimeAsync(2_000);
  }
  await vi.advanceTimersByTimeAsync(30_000);
  await place.settle();
  const leases = await env.DB.prepare("SELECT COUNT(*) AS n FROM audit_events WHERE org = 'gateways' AND action = 'secret.resolve'").first<number>("n");
  expect(leases).toBeLessThanOrEqual(GATEWAYS * KEYS * 2);

  // What comes later: sealing, digest, the archive, and what leaves D1 for it.
  const scheduled = { ...env, DB } as never;
  for (let minute = 2; minute < 6; minute += 1) {
    vi.setSystemTime(START + minute * 60_000);
    await runScheduled(scheduled, new Date(), STILL);
  }
  for (let day = 1; day <= 9; day += 1) {
    for (let run = 0; run < 6; run += 1) {
      vi.setSystemTime(START + day * 86_000_000 + run * 600_000);
      await runScheduled(scheduled, new Date(), STILL);
    }
  }
  const requests = A_SECOND * SECONDS;
  const perMillion = PRICES.request + (billed.written * PRICES.rowWritten + billed.read * PRICES.rowRead + place.asked.kv * PRICES.kvRead) / requests;
  expect(perMillion).toBeLessThanOrEqual(0.5);
});
