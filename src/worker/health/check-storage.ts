import { probeCiphertexts } from "../store/ciphertexts.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { isRestoring } from "../transaction/is-restoring.ts";
import { COUNT_MIGRATED, MIGRATED } from "./migrated.ts";

/** A store that the Worker needs and cannot use, and what is wrong with it. */
export interface UnusableStore {
  readonly part: "d1" | "kv";
  readonly detail: string;
}

/** Tries D1 and KV, and returns what cannot be used. A binding may be missing. */
export async function checkStorage({ db, kv }: { db: D1Database | undefined; kv: KVNamespace | undefined }): Promise<UnusableStore[]> {
  return (await Promise.all([checkD1(db), checkKv(kv)])).flat();
}

async function checkD1(db: D1Database | undefined): Promise<UnusableStore[]> {
  if (!db) return unusableD1("the binding DB is missing");
  try {
    const [tables] = await runBatch(db, [db.prepare(COUNT_MIGRATED).bind(JSON.stringify(MIGRATED))]);
    if (rowsOf<{ n: number }>(tables)[0]?.n !== MIGRATED.length) return unusableD1("the migrations have not been applied");
    return (await isRestoring({ db })) ? unusableD1("a restore is under way") : [];
  } catch {
    return unusableD1("the database does not answer");
  }
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
