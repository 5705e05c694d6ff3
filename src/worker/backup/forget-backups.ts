import { deleteOldBackups, forgetChanges } from "../store/backup-rows.ts";
import { runBatch } from "../store/run-batch.ts";

/** How long changes are noted for a backup, in milliseconds. */
const KEPT = 86_400_000;
/** How many changes one run forgets. */
const CHANGES = 5_000;

/** Ends backups that began more than a day ago, and forgets changes that none needs. Returns how many were forgotten. */
export async function forgetBackups({ db, now }: { readonly db: D1Database; readonly now: Date }): Promise<number> {
  const [, forgotten] = await runBatch(db, [deleteOldBackups(db, now.getTime() - KEPT), forgetChanges(db, CHANGES)]);
  return forgotten?.meta.changes ?? 0;
}
