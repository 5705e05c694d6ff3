import { Agent } from "node:http";
import { casesFor, underLease } from "./cases.ts";
import { migrate, startInstance } from "./instance.ts";
import { fire, quantile, type Shot } from "./load.ts";
import type { Setup } from "./ratios.ts";
import { seedNames } from "./seed.ts";

/** What a user far from the primary sees: medians and 99th percentiles, in milliseconds. */
export interface DistanceRow {
  readonly name: string;
  /** The sums of the delays that were drawn for the waits of these same calls. */
  readonly waits: Quantiles;
  readonly latency: Quantiles;
  /** What each call took beyond its own waits. */
  readonly beyond: Quantiles;
}

interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

/** Typical delays, in milliseconds; each call's is drawn from half to twice of it. */
export const DELAYS = { d1: 40, kvHot: 8, kvCold: 80 };

/** Measures resolves with D1 and KV calls delayed. */
export async function measureDistance({ secrets, token, bundles, requests }: Setup): Promise<DistanceRow[]> {
  const instance = await startInstance(bundles.counting, secrets, { vars: { DELAYS: JSON.stringify(DELAYS) } });
  await migrate(instance.db);
  await seedNames(instance, token);
  const cases = casesFor(token);
  await fire(instance.url, { ...cases.set(), path: "/v1/scopes/namespace%3Aprod/secrets/BENCH_INLINE", expect: 201 });
  // What those writes left to do after their replies is done in the meantime.
  for (let n = 0; n < 10; n++) await fire(instance.url, cases.list);
  // One call at a time, so that the proxy's counts are those of the call.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const measure = async (name: string, expected: number | null, shot: () => Shot, count: number): Promise<DistanceRow> => {
    const waits: number[] = [];
    const latencies: number[] = [];
    for (let n = 0; n < count; n++) {
      const before = performance.now();
      const { headers } = await fire(instance.url, shot(), agent);
      latencies.push(performance.now() - before);
      const counted = JSON.parse(String(headers["x-counts"])) as { waits: number; delayed: number };
      if (expected !== null && counted.waits !== expected) throw new Error(`${name} waited ${counted.waits} times instead of ${expected}`);
      waits.push(expected === null ? 0 : counted.delayed);
    }
    const beyond = latencies.map((latency, n) => latency - (waits[n] ?? 0));
    return { name, waits: quantilesOf(waits), latency: quantilesOf(latencies), beyond: quantilesOf(beyond) };
  };
  // Each of the first hundred resolves reads a ciphertext that this location has not read before.
  let next = 0;
  const cold = (): Shot => ({ ...cases.resolve(1), body: JSON.stringify({ scopes: ["namespace:prod"], names: [`BENCH_${String(next++).padStart(3, "0")}`] }) });
  const rows = [await measure("resolve 1, cold in KV", 2, cold, 100)];
  rows.push(await measure("resolve 1, hot in KV", 2, () => cases.resolve(1), requests));
  rows.push(await measure("resolve 10, hot in KV", 2, () => cases.resolve(10), requests));
  rows.push(await measure("resolve 1, inline", 1, () => cases.resolveInline, requests));
  const etag = String((await fire(instance.url, cases.resolve(1))).headers.etag);
  rows.push(await measure("resolve 1, 304", 1, () => cases.notModified(etag), requests));
  const leased = underLease(cases.resolve(1));
  await fire(instance.url, leased, agent);
  // In the background it asks for changes every few seconds: that is no wait of a call's own.
  rows.push(await measure("resolve 1, under a lease", null, () => leased, requests));
  agent.destroy();
  await instance.stop();
  return rows;
}

function quantilesOf(numbers: readonly number[]): Quantiles {
  return { p50: quantile(numbers, 0.5), p99: quantile(numbers, 0.99) };
}
