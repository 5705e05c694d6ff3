import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Env } from "../../src/worker/config.ts";
import { settleCiphertexts } from "../../src/worker/secrets/settle-ciphertexts.ts";
import { at, type CallOptions, type Reply } from "../support/call.ts";
import { watch } from "./binding-faults.ts";
import { LaggingKv } from "./lagging-kv.ts";
import { ask, START } from "./worker-run.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const SECRET = at("global", "S");

let made = 0;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: START });
  vi.spyOn(console, "error").mockReturnValue();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Two places: one where writes and scheduled runs are, and one that is `lag` behind. */
function makePlaces(lag: (key: string) => number) {
  vi.setSystemTime(START);
  const org = `lag-${made++}`;
  const kv = new LaggingKv(env.KV, Date.now);
  const from = (place: Env) => async (request: string, options?: CallOptions) => (await ask(watch(place), org, request, options)) as Reply;
  const near: Env = { ...env, KV: kv.from(() => 0) };
  const far: Env = { ...env, KV: kv.from(lag) };
  const value = async (call: ReturnType<typeof from>) => {
    const { status, body } = await call("POST /v1/resolve", { json: { names: ["S"] } });
    return status === 404 ? null : status === 200 ? body.secrets.S.value : status;
  };
  return {
    near: from(near),
    far: from(far),
    value,
    tick: () => settleCiphertexts({ db: env.DB, kv: near.KV, now: new Date() }),
    pass: (milliseconds: number) => vi.setSystemTime(Date.now() + milliseconds),
  };
}

describe("where KV is behind", () => {
  it("a write is read at once, everywhere, and stays so while it moves to KV", async () => {
    const { near, far, value, tick, pass } = makePlaces(() => MINUTE);
    await near(`PUT ${SECRET}`, { json: { value: "v" } });
    for (let n = 0; n < 40; n++) {
      expect(await value(far)).toBe("v");
      expect(await value(near)).toBe("v");
      await tick();
      pass(30 * SECOND);
    }
  });

  it("a value whose copy is very late is 503 until it is there, and not for as long as a miss may be kept", async () => {
    const { near, far, value, tick, pass } = makePlaces(() => 20 * MINUTE);
    await near(`PUT ${SECRET}`, { json: { value: "v" } });
    const seen: unknown[] = [];
    for (let n = 0; n < 45; n++) {
      seen.push(await value(far));
      await tick();
      pass(30 * SECOND);
    }
    expect(new Set(seen)).toEqual(new Set(["v", 503]));
    expect(seen.slice(0, 10)).toEqual(Array(10).fill("v"));
    expect(seen.lastIndexOf(503)).toBeLessThan(42);
  });

  it("no reply is ever wrong: the newest value, or none yet", { timeout: 60_000 }, async () => {
    const step = fc.oneof(
      fc.record({ put: fc.constantFrom("a", "b", "c"), at: fc.constantFrom("near", "far") }),
      fc.record({ remove: fc.constant(true) }),
      fc.record({ pass: fc.integer({ min: 1, max: 8 * 60 }) }),
      fc.record({ pass: fc.integer({ min: 1, max: 60 }) }),
      fc.record({ tick: fc.constant(true) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1 }), async (steps, lags) => {
        const lagOf = new Map<string, number>();
        const lag = (key: string) => {
          if (!lagOf.has(key)) lagOf.set(key, (lags[lagOf.size % lags.length] ?? 0) * MINUTE);
          return lagOf.get(key) ?? 0;
        };
        const { near, far, value, tick, pass } = makePlaces(lag);
        let current: string | null = null;
        for (const one of steps) {
          if ("put" in one) {
            const { status } = await (one.at === "near" ? near : far)(`PUT ${SECRET}`, { json: { value: one.put } });
            expect(status).toBeLessThan(300);
            current = one.put;
          } else if ("remove" in one) {
            expect((await near(`DELETE ${SECRET}`)).status).toBe(current === null ? 404 : 204);
            current = null;
          } else if ("pass" in one) pass(one.pass * SECOND);
          else await tick();
          expect(await value(near)).toBe(current);
          expect([current, current === null ? null : 503]).toContain(await value(far));
        }
      }),
      { numRuns: 25 },
    );
  });
});
