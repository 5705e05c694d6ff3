import { runBatch } from "../store/run-batch.ts";
import { deleteExpiredTokens } from "../store/token-rows.ts";

/** An expired token stays in the list for this long, in milliseconds. */
const KEPT = 7 * 86_400_000;
const BATCH = 500;

/** Deletes the rows of tokens that expired a week ago; a bounded number in each run. Returns how many. */
export async function forgetExpiredTokens({ db, now }: { db: D1Database; now: Date }): Promise<number> {
  const [deleted] = await runBatch(db, [deleteExpiredTokens(db, now.getTime() - KEPT, BATCH)]);
  return deleted?.meta.changes ?? 0;
}
