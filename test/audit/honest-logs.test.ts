import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type Env, loadConfig } from "../../src/worker/config.ts";
import { readRegistry } from "../../src/worker/log/read-registry.ts";
import { entriesOf } from "../../src/worker/log/registry.ts";
import { runScheduled } from "../../src/worker/scheduled.ts";
import { type Fault, watch } from "../faults/binding-faults.ts";
import { LaggingKv } from "../faults/lagging-kv.ts";
import { settled } from "../faults/worker-run.ts";
import { STILL } from "../support/still.ts";
import { append, MINUTE, START } from "./support.ts";
import { makeWorld, NOON } from "./world.ts";

const ORGS = ["acme", "other", "third"];
const VARS = { AUDIT_RETENTION_DAYS: "1" };
const FAULTED: readonly Fault[] = ["fails", "fails after taking effect", "is the last thing that the Worker does"];

type Step =
  | { readonly kind: "write"; readonly org: string; readonly count: number }
  | { readonly kind: "wait"; readonly minutes: number }
  | { readonly kind: "run"; readonly place: number; readonly many: number }
  | { readonly kind: "crash"; readonly nth: number; readonly fault: Fault }
  | { readonly kind: "verify"; readonly org: string; readonly place: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("write" as const), org: fc.constantFrom(...ORGS), count: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("wait" as const), minutes: fc.constantFrom(0.2, 1, 5, 61, 500) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("run" as const), place: fc.nat(1), many: fc.integer({ min: 1, max: 2 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("crash" as const), nth: fc.nat(40), fault: fc.constantFrom(...FAULTED) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("verify" as const), org: fc.constantFrom(...ORGS), place: fc.nat(1) }) },
);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: NOON });
  for (const method of ["log", "error"] as const) vi.spyOn(console, method).mockReturnValue();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Two places: one that sees of KV what there is, and one that is up to a minute behind in each key. */
function makePlaces(): Env[] {
  const kv = new LaggingKv(env.KV, Date.now);
  const lag = (name: string) => (Number.parseInt(name.slice(-2), 16) % 60) * 1_000;
  return [() => 0, lag].map((late) => ({ ...env, ...VARS, KV: kv.from(late) }));
}

const run = (place: Env) =>
  runScheduled(place, new Date(), STILL).then(
    () => undefined,
    () => undefined,
  );

it("the registry never accuses an honest log, in any sequence of writes, runs, crashes and lag", { timeout: 240_000 }, async () => {
  let crashes = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      vi.setSystemTime(NOON);
      const world = makeWorld(VARS);
      await world.reset();
      const places = makePlaces();
      const verify = async (org: string, place: Env) => {
        const { status, body } = await makeWorld({ ...VARS, KV: place.KV }).call("GET /v1/audit/verify", { token: { org } });
        expect([status, body.ok, body.reason, body.first_bad]).toEqual([200, true, undefined, null]);
      };
      for (const one of steps) {
        if (one.kind === "write") await append(one.org, one.count, { at: START });
        if (one.kind === "wait") vi.setSystemTime(Date.now() + one.minutes * MINUTE);
        if (one.kind === "run") await Promise.all(Array.from({ length: one.many }, () => run(places[one.place] as Env)));
        if (one.kind === "crash") {
          const watched = watch(places[0] as Env, one.nth, one.fault);
          await settled(watched, run(watched.env));
          if (watched.calls.length > one.nth) crashes++;
        }
        if (one.kind === "verify") await verify(one.org, places[one.place] as Env);
      }
      for (const org of ORGS) await append(org, 1, { at: START });
      for (let n = 0; n < 3; n++) {
        vi.setSystemTime(Date.now() + 2 * MINUTE);
        await run(places[n % 2] as Env);
      }
      expect(await world.findings()).toEqual([]);
      expect(await world.integrity()).toMatchObject({ registry: "ok", logs: 0, forged_objects: 0, lost_at: null });
      for (const org of ORGS) for (const place of places) await verify(org, place);
      await expectOnRecord();
    }),
    { numRuns: env.EVERY_CASE ? 60 : 8 },
  );
  expect(crashes, "calls that went wrong").toBeGreaterThan(5);
});

/** Each log is on record as it is: otherwise there was nothing to be accused by. */
async function expectOnRecord(): Promise<void> {
  const { logKeys, keyring } = await loadConfig(env);
  const registry = await readRegistry({ kv: env.KV, logKeys, now: new Date() });
  for (const org of ORGS) {
    const [entry] = await entriesOf(registry, keyring, org);
    const number = await env.DB.prepare("SELECT MAX(number) AS n FROM audit_checkpoints WHERE org = ?").bind(org).first("n");
    expect([entry?.number, number !== null]).toEqual([number, true]);
  }
}
