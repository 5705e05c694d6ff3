import { casesFor } from "./cases.ts";
import { type Instance, migrate, startInstance } from "./instance.ts";
import { fire, load, quantile, type Shot } from "./load.ts";
import type { Setup } from "./ratios.ts";
import { fill, NAMES, seedNames } from "./seed.ts";

/** What a store of a size answers. Latencies in milliseconds, medians over the rounds. */
export interface SizeRow {
  readonly size: number;
  readonly resolve: number;
  readonly list: number;
  readonly rowsReadByResolve: number;
  readonly rowsReadByList: number;
}

/**
 * Fills a store to each size, and measures in turn, so that all see the same machine, a resolve of one secret and a list
 * of 50 on one connection.
 */
export async function measureSizes({ secrets, token, bundles, rounds, requests, sizes }: Setup, say: (text: string) => void): Promise<SizeRow[]> {
  const cases = casesFor(token);
  const stores: { size: number; keyhole: Instance; resolve: number[]; list: number[] }[] = [];
  for (const size of sizes) {
    say(`  ${size} secrets`);
    const keyhole = await startInstance(bundles.counting, { ...secrets, KEYRING: takingUnsealed(secrets.KEYRING) });
    await migrate(keyhole.db);
    await seedNames(keyhole, token, Math.min(size, NAMES.length));
    await fill(keyhole, size);
    stores.push({ size, keyhole, resolve: [], list: [] });
  }
  // The first round only warms up.
  for (let round = -1; round < rounds; round++) {
    for (const { keyhole, resolve, list } of stores) {
      const measured = { resolve: await load(keyhole.url, cases.resolve(1), 1, requests), list: await load(keyhole.url, cases.list, 1, requests / 4) };
      if (round < 0) continue;
      resolve.push(quantile(measured.resolve.latencies, 0.5));
      list.push(quantile(measured.list.latencies, 0.5));
    }
  }
  const rows: SizeRow[] = [];
  for (const { size, keyhole, resolve, list } of stores) {
    const rowsReadByResolve = await rowsRead(keyhole, cases.resolve(1));
    rows.push({ size, resolve: quantile(resolve, 0.5), list: quantile(list, 0.5), rowsReadByResolve, rowsReadByList: await rowsRead(keyhole, cases.list) });
    await keyhole.stop();
  }
  return rows;
}

/** A keyring that takes rows without a seal: those that fill the store are put there by SQL. */
function takingUnsealed(keyring: string): string {
  const { seals: _, ...rest } = JSON.parse(keyring) as Record<string, unknown>;
  return JSON.stringify(rest);
}

/** Rows that D1 read for one call, as the proxy around the bindings counted them. */
async function rowsRead(instance: Instance, shot: Shot): Promise<number> {
  const { headers } = await fire(instance.url, shot);
  return (JSON.parse(String(headers["x-counts"])) as { rowsRead: number }).rowsRead;
}
