import { casesFor, underLease } from "./cases.ts";
import { type Instance, migrate, startInstance } from "./instance.ts";
import { fire, type Shot } from "./load.ts";
import type { Setup } from "./ratios.ts";
import { seedNames } from "./seed.ts";

/** What one call asks of the bindings before its reply, and what D1 counts for it. */
export interface CallCounts {
  readonly name: string;
  readonly waits: number;
  readonly d1Batches: number;
  readonly d1Statements: number;
  readonly rowsRead: number;
  readonly rowsWritten: number;
  /** Keys, not calls: a bulk read is billed for each of its keys. */
  readonly kvReads: number;
  readonly kvWrites: number;
}

/** Counts, with a proxy around the bindings, what each call asks of them. */
export async function countPerCall({ secrets, token, bundles }: Setup): Promise<CallCounts[]> {
  const instance = await startInstance(bundles.counting, secrets);
  await migrate(instance.db);
  await seedNames(instance, token);
  const cases = casesFor(token);
  const count = (name: string, shot: Shot) => countCall(instance, name, shot);
  const etag = String((await fire(instance.url, cases.resolve(1))).headers.etag);
  const leased = underLease(cases.resolve(1));
  const counts = [
    await count("set, new", { ...cases.set(), expect: 201 }),
    await count("set, again", cases.set()),
    await count("resolve 1", cases.resolve(1)),
    await count("resolve 10", cases.resolve(10)),
    await count("resolve 100", cases.resolve(100)),
    await count("resolve 1, inline", { ...cases.resolve(1), body: JSON.stringify({ scopes: ["namespace:prod"], names: ["BENCH_SET"] }) }),
    await count("resolve 1, 304", cases.notModified(etag)),
    await count("resolve 1, opens a lease", leased),
    await count("resolve 1, under a lease", leased),
    await count("list of 50", cases.list),
  ];
  await instance.stop();
  return counts;
}

/** Counts what one call asks of the bindings. */
export async function countCall({ url }: Instance, name: string, shot: Shot): Promise<CallCounts> {
  const { headers } = await fire(url, shot);
  return { name, ...(JSON.parse(String(headers["x-counts"])) as Omit<CallCounts, "name">) };
}
