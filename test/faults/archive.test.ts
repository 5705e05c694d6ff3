import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { archive, archivesOf, count, DUE, makeLog, readAll, stream } from "../audit/archive-support.ts";
import { forgetLogs } from "../audit/forget-logs.ts";
import { MINUTE, verified } from "../audit/support.ts";
import { FAULTS, type Fault, watch } from "./binding-faults.ts";
import { LaggingKv } from "./lagging-kv.ts";
import { settled } from "./worker-run.ts";

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: DUE });
  await forgetLogs();
});
afterEach(() => vi.useRealTimers());

/** A run's part in it, of which one call of a binding goes wrong. */
async function run(minutes: number, nth = -1, fault?: Fault) {
  const watched = watch(env, nth, fault);
  const work = archive(minutes, { db: watched.env.DB, kv: watched.env.KV }).then(
    () => "succeeded",
    () => "failed",
  );
  await settled(watched, work);
  return watched.calls;
}

/** Logs with one part each that is due. */
async function makeWork(cell: number, logs = 1): Promise<readonly string[]> {
  const orgs = Array.from({ length: logs }, (_, n) => `log-${cell}-${n}`);
  await forgetLogs();
  for (const org of orgs) await makeLog(org, [0, 30]);
  return orgs;
}

const whole = [4, 3, 2, 1];

/** How many events of a log are in D1, but for those of the exports that look at it. */
const events = (org: string) =>
  env.DB.prepare("SELECT COUNT(*) AS n FROM audit_events WHERE org = ? AND action <> 'audit.export'").bind(org).first<number>("n");

/** All of a log is there, once, and is as it was sealed. */
async function expectWhole(orgs: readonly string[], what: string): Promise<void> {
  for (const org of orgs) {
    expect(
      (await readAll(org)).map(({ seq }) => seq),
      what,
    ).toEqual(whole);
    expect(
      (await stream(org)).map(({ seq }) => seq),
      what,
    ).toEqual(whole.toReversed());
    expect(await verified(org), what).toMatchObject({ ok: true, checked: 4 });
  }
}

/** It has come to its end, and nothing is in KV of which D1 does not know. */
async function expectArchived(orgs: readonly string[], what: string): Promise<void> {
  for (const org of orgs) expect([await events(org), await count("audit_checkpoints", org)], what).toEqual([2, 1]);
  const kept = (await Promise.all(orgs.map(archivesOf))).flat().map(({ kv_key }) => kv_key);
  const { results } = await env.DB.prepare("SELECT kv_key FROM kv_removals").all<{ kv_key: string }>();
  const { keys } = await env.KV.list({ prefix: "a_" });
  const known = new Set([...kept, ...results.map(({ kv_key }) => kv_key)]);
  expect(
    keys.map(({ name }) => name).filter((name) => !known.has(name)),
    what,
  ).toEqual([]);
  for (const { name } of keys) await env.KV.delete(name);
}

describe("archiving", () => {
  it.each(FAULTS)("loses nothing, shows nothing twice and comes to its end when any one call of its bindings %s", { timeout: 180_000 }, async (fault) => {
    let cells = 0;
    // The first run in an isolate looks at the keys, too.
    await makeWork(cells);
    await run(0);
    for (const phase of [0, 6]) {
      const prepare = async (cell: number) => {
        const orgs = await makeWork(cell);
        if (phase > 0) await run(0);
        return orgs;
      };
      await prepare(++cells);
      const calls = await run(phase);
      for (const { name } of (await env.KV.list({ prefix: "a_" })).keys) await env.KV.delete(name);
      for (const nth of calls.keys()) {
        const what = `${phase} ${nth} ${calls[nth]}`;
        const orgs = await prepare(++cells);
        expect((await run(phase, nth, fault)).length, what).toBeGreaterThan(nth);
        await expectWhole(orgs, what);
        for (const minutes of [phase + 7, phase + 28, phase + 36]) await run(minutes);
        await expectWhole(orgs, what);
        await expectArchived(orgs, what);
      }
    }
    expect(cells).toBeGreaterThan(12);
  });

  it("does no harm beside another run, nor beside three", async () => {
    const orgs = await makeWork(0, 3);
    for (const minutes of [0, 1, 6, 7, 13]) {
      const done = await Promise.all([archive(minutes), archive(minutes), archive(minutes), archive(minutes)]);
      expect(done.map(({ refused, dropped }) => refused + dropped)).toEqual([0, 0, 0, 0]);
      await expectWhole(orgs, `${minutes}`);
    }
    await expectArchived(orgs, "at the end");
  });

  it.each([10, 90])("waits for a KV that is %i minutes behind, and no copy that is late does harm", async (lag) => {
    const orgs = await makeWork(lag);
    const kv = new LaggingKv(env.KV, () => Date.now());
    const far = kv.from(() => lag * MINUTE);
    for (let minutes = 0; minutes < 240; minutes += 3) {
      vi.setSystemTime(DUE + minutes * MINUTE);
      await archive(minutes, { kv: far });
      // What the run that moved it has seen, everybody sees: it has waited for as long.
      if (minutes % 30 === 0) await expectWhole(orgs, `${minutes}`);
    }
    if (lag < 60) await expectArchived(orgs, "at the end");
    else for (const org of orgs) expect(await events(org)).toBe(4);
  });
});
