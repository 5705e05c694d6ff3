import { deleteOldIdentities } from "../store/identity-rows.ts";
import { runBatch } from "../store/run-batch.ts";

const BATCH = 5_000;

/** Forgets which identity tokens were exchanged, once they are refused for their age; a bounded number in each run. Returns how many. */
export async function forgetIdentities({ db, now }: { db: D1Database; now: Date }): Promise<number> {
  const [deleted] = await runBatch(db, [deleteOldIdentities(db, now.getTime(), BATCH)]);
  return deleted?.meta.changes ?? 0;
}
