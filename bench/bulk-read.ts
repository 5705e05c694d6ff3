import { startInstance } from "./instance.ts";
import { fire, quantile } from "./load.ts";
import type { Setup } from "./ratios.ts";

/** What one bulk read of the local KV takes by itself, in milliseconds, by the number of keys. */
export interface BulkReadTimes {
  readonly one: number;
  readonly hundred: number;
}

const REPEATS = 20;

// Nothing but the read that a resolve makes, of values as long as a short secret's ciphertext.
const READER = `
  const keys = Array.from({ length: 100 }, (_, n) => "key-" + n);
  export default {
    async fetch(request, { KV }) {
      const count = Number(new URL(request.url).pathname.slice(1));
      if (request.method === "PUT") for (const key of keys) await KV.put(key, "A".repeat(100));
      else for (let n = 0; n < ${REPEATS}; n++) await KV.get(keys.slice(0, count), { type: "text", cacheTtl: 86400 });
      return new Response();
    },
  };`;

/** Measures the local KV without Keyhole or the floor: what 100 secrets cost beside one is mostly this. */
export async function measureBulkRead({ secrets }: Setup): Promise<BulkReadTimes> {
  const { url, stop } = await startInstance(READER, secrets);
  await fire(url, { method: "PUT", path: "/0", headers: {}, expect: 200 });
  const time = async (count: number): Promise<number> => {
    const times: number[] = [];
    for (let round = 0; round < 9; round++) {
      const started = performance.now();
      await fire(url, { method: "GET", path: `/${count}`, headers: {}, expect: 200 });
      times.push((performance.now() - started) / REPEATS);
    }
    return quantile(times, 0.5);
  };
  const times = { one: await time(1), hundred: await time(100) };
  await stop();
  return times;
}
