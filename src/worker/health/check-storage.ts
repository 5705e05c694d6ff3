import { probeCiphertexts } from "../store/ciphertexts.ts";
import { selectDamage } from "../store/database-damage.ts";
import { selectRestore } from "../store/restore-rows.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { COUNT_MIGRATED, MIGRATED } from "./migrated.ts";

/** A store that the Worker needs and cannot use, and what is wrong with it. */
export interface UnusableStore {
  readonly part: "d1" | "kv";
  readonly detail: string;
}

/** Tries D1 and KV, and returns what cannot be used. A binding may be missing. */
export async function checkStorage({
  db,
  kv,
  now,
}: {
  readonly db: D1Database | undefined;
  readonly kv: KVNamespace | undefined;
  readonly now: Date;
}): Promise<UnusableStore[]> {
  return (await Promise.all([checkD1(db, now), checkKv(kv)])).flat();
}

async function checkD1(db: D1Database | undefined, now: Date): Promise<UnusableStore[]> {
  if (!db) return unusableD1("the binding DB is missing");
  const count = () => db.prepare(COUNT_MIGRATED).bind(JSON.stringify(MIGRATED));
  try {
    const [tables, restores, damage] = await runBatch(db, [count(), selectRestore(db), selectDamage(db, now.getTime())]);
    if (!isMigrated(tables)) return unusableD1(UNMIGRATED);
    if (rowsOf(restores).length > 0) return unusableD1("a restore is under way");
    const jobs = rowsOf<{ job: string }>(damage).map(({ job }) => job);
    return jobs.length > 0 ? unusableD1(`a part of the database cannot be read: scheduled runs fail at it (${jobs.join(", ")})`) : [];
  } catch {
    // Without the migrations there is no such table.
    const unmigrated = await Promise.resolve()
      .then(() => runBatch(db, [count()]))
      .then(([tables]) => !isMigrated(tables))
      .catch(() => false);
    return unusableD1(unmigrated ? UNMIGRATED : "the database does not answer");
  }
}

const UNMIGRATED = "the migrations have not been applied";

function isMigrated(tables: D1Result | undefined): boolean {
  return rowsOf<{ n: number }>(tables)[0]?.n === MIGRATED.length;
}

function unusableD1(detail: string): UnusableStore[] {
  return [{ part: "d1", detail }];
}

async function checkKv(kv: KVNamespace | undefined): Promise<UnusableStore[]> {
  if (!kv) return [{ part: "kv", detail: "the binding KV is missing" }];
  try {
    await probeCiphertexts(kv);
    return [];
  } catch {
    return [{ part: "kv", detail: "the namespace does not answer" }];
  }
}
