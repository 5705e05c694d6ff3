import { countBackups, deleteOldBackups, forgetAllChanges, forgetChanges } from "../store/backup-rows.ts";
import { GuardError, rowsOf, runBatch } from "../store/run-batch.ts";

/** How long changes are noted for a backup, in milliseconds. */
const KEPT = 86_400_000;
/** How many changes are noted for a backup: of one that nobody goes on with they would fill the database. */
const NOTED = 2_000_000;
/** How many changes one run forgets while there is a backup. */
const CHANGES = 5_000;

/**
 * Ends backups that began more than a day or two million changes ago, and forgets changes that none needs. Returns how many were
 * forgotten.
 */
export async function forgetBackups({ db, now }: { readonly db: D1Database; readonly now: Date }): Promise<number> {
  const [, forgotten, left] = await runBatch(db, [deleteOldBackups(db, now.getTime() - KEPT, NOTED), forgetChanges(db, CHANGES), countBackups(db)]);
  const all = rowsOf<{ backups: number }>(left)[0]?.backups === 0 ? await forgetAll(db) : 0;
  return (forgotten?.meta.changes ?? 0) + all;
}

async function forgetAll(db: D1Database): Promise<number> {
  try {
    const [, forgotten] = await runBatch(db, forgetAllChanges(db));
    return forgotten?.meta.changes ?? 0;
  } catch (error) {
    // A backup has begun meanwhile.
    if (error instanceof GuardError) return 0;
    throw error;
  }
}
