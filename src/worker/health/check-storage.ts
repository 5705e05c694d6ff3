import { probeCiphertexts } from "../store/ciphertexts.ts";
import type { Backlog } from "../store/key-rows.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { readBacklog } from "./read-backlog.ts";

export type { Backlog };

/** A store that the Worker needs and cannot use, and what is wrong with it. */
export interface UnusableStore {
  readonly part: "d1" | "kv";
  readonly detail: string;
}

/** Which stores cannot be used, and what waits for somebody to look at it. */
export interface StorageHealth {
  readonly unusable: readonly UnusableStore[];
  /** `null` where D1 is not usable. */
  readonly backlog: Backlog | null;
}

/** Some from each migration: tables, and a column where a later one added it. All are there, or some were not applied. */
const MIGRATED = [["secrets"], ["versions", "kind"], ["audit_events", "version"], ["tokens"], ["audit_checkpoints"], ["audit_heads"], ["audit_statements"]];

/** Tries D1 and KV. A binding may be missing. */
export async function checkStorage({ db, kv }: { db: D1Database | undefined; kv: KVNamespace | undefined }): Promise<StorageHealth> {
  const [d1, kvFaults] = await Promise.all([checkD1(db), checkKv(kv)]);
  return { unusable: [...d1.unusable, ...kvFaults], backlog: d1.backlog };
}

async function checkD1(db: D1Database | undefined): Promise<StorageHealth> {
  if (!db) return unusableD1("the binding DB is missing");
  try {
    const [tables] = await runBatch(db, [
      db
        .prepare(
          "SELECT COUNT(*) AS n FROM json_each(?) m JOIN sqlite_schema s ON s.name = m.value ->> 0 AND s.sql LIKE '%' || COALESCE(m.value ->> 1, '') || '%'",
        )
        .bind(JSON.stringify(MIGRATED)),
    ]);
    if (rowsOf<{ n: number }>(tables)[0]?.n !== MIGRATED.length) return unusableD1("the migrations have not been applied");
    return { unusable: [], backlog: await readBacklog({ db }) };
  } catch {
    return unusableD1("the database does not answer");
  }
}

function unusableD1(detail: string): StorageHealth {
  return { unusable: [{ part: "d1", detail }], backlog: null };
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
