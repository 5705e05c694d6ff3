import { casesFor } from "./cases.ts";
import { migrate, startInstance } from "./instance.ts";
import { fire, load, quantile, type Shot } from "./load.ts";
import type { Setup } from "./ratios.ts";
import { seedNames } from "./seed.ts";
import { spread } from "./spread.ts";

/** What a user far from the primary sees, in milliseconds. */
export interface DistanceRow {
  readonly name: string;
  /** The sum of the waits that cannot be avoided: its median and its 99th percentile. */
  readonly waitsP50: number;
  readonly waitsP99: number;
  readonly p50: number;
  readonly p99: number;
}

/** Typical delays, in milliseconds; each call's is drawn from half to twice of it. */
export const DELAYS = { d1: 40, kvHot: 8, kvCold: 80 };

/** Measures resolves with D1 and KV calls delayed. */
export async function measureDistance({ secrets, token, bundles, requests }: Setup): Promise<DistanceRow[]> {
  const instance = await startInstance(bundles.counting, secrets, { DELAYS: JSON.stringify(DELAYS) });
  await migrate(instance.db);
  await seedNames(instance, token);
  const cases = casesFor(token);
  const measure = async (name: string, waits: readonly number[], shot: Shot | (() => Shot), count: number): Promise<DistanceRow> => {
    const { p50, p99 } = await load(instance.url, shot, 4, count);
    const sums = Array.from({ length: 100_000 }, () => waits.reduce((sum, delay) => sum + spread(delay), 0));
    return { name, waitsP50: quantile(sums, 0.5), waitsP99: quantile(sums, 0.99), p50, p99 };
  };
  // Each of the first hundred resolves reads a ciphertext that this location has not read before.
  let next = 0;
  const cold = (): Shot => ({ ...cases.resolve(1), body: JSON.stringify({ scopes: ["namespace:prod"], names: [`BENCH_${String(next++).padStart(3, "0")}`] }) });
  const rows = [await measure("resolve 1, cold in KV", [DELAYS.d1, DELAYS.kvCold], cold, 100)];
  rows.push(await measure("resolve 1, hot in KV", [DELAYS.d1, DELAYS.kvHot], cases.resolve(1), requests));
  rows.push(await measure("resolve 10, hot in KV", [DELAYS.d1, DELAYS.kvHot], cases.resolve(10), requests));
  await fire(instance.url, { ...cases.set(), path: "/v1/scopes/namespace%3Aprod/secrets/BENCH_INLINE", expect: 201 });
  rows.push(await measure("resolve 1, inline", [DELAYS.d1], cases.resolveInline, requests));
  const etag = String((await fire(instance.url, cases.resolve(1))).headers.etag);
  rows.push(await measure("resolve 1, 304", [DELAYS.d1], cases.notModified(etag), requests));
  await instance.stop();
  return rows;
}
