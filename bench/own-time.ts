import { casesFor } from "./cases.ts";
import { migrate, startInstance } from "./instance.ts";
import { fire, quantile } from "./load.ts";
import type { Setup } from "./ratios.ts";
import { seedFloor, seedNames } from "./seed.ts";

/** Microseconds for each resolve of one secret, made again and again inside the isolate. */
export interface OwnTimeRow {
  readonly name: string;
  readonly keyhole: number;
  readonly floor: number;
}

const TIMES = 200;
const ROUNDS = 25;

/** Measures where a resolve's time goes: with both bindings answered from memory, and with one of them as it is. */
export async function measureOwnTime({ secrets, token, bundles }: Setup): Promise<OwnTimeRow[]> {
  const keyhole = await startInstance(bundles.alone, secrets, { vars: { WHICH: "keyhole" } });
  await migrate(keyhole.db);
  await seedNames(keyhole, token);
  const floor = await startInstance(bundles.alone, secrets, { vars: { WHICH: "floor" } });
  await seedFloor(keyhole, floor);
  const urls = { keyhole: keyhole.url, floor: floor.url };
  const resolve = casesFor(token).resolve(1);
  const time = async (url: URL, real: string): Promise<number> => {
    const started = performance.now();
    await fire(url, { ...resolve, path: `${resolve.path}?real=${real}&times=${TIMES}` });
    return ((performance.now() - started) * 1000) / TIMES;
  };
  const measure = async (name: string, real: string): Promise<OwnTimeRow> => {
    const times = { keyhole: [] as number[], floor: [] as number[] };
    for (let round = -5; round < ROUNDS; round++) {
      // Which one goes first changes from round to round.
      const order = round % 2 === 0 ? (["keyhole", "floor"] as const) : (["floor", "keyhole"] as const);
      for (const which of order) {
        const took = await time(urls[which], real);
        if (round >= 0) times[which].push(took);
      }
    }
    return { name, keyhole: quantile(times.keyhole, 0.5), floor: quantile(times.floor, 0.5) };
  };
  const rows = [
    await measure("D1 and KV answer from memory", "none"),
    await measure("the local D1, and KV from memory", "d1"),
    await measure("the local KV, and D1 from memory", "kv"),
  ];
  await floor.stop();
  await keyhole.stop();
  return rows;
}
