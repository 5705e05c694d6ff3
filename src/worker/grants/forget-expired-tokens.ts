import { rowsOf, runBatch } from "../store/run-batch.ts";
import { deleteExpiredTokens } from "../store/token-rows.ts";
import { type BatchNeeds, workInBatches } from "../transaction/work-in-batches.ts";

const BATCH = 200;

/** Deletes the rows of tokens that expired a week ago. Returns how many. */
export async function forgetExpiredTokens({ db, now, budget }: BatchNeeds): Promise<number> {
  let forgotten = 0;
  await workInBatches(budget, async () => {
    const [deleted] = await runBatch(db, [deleteExpiredTokens(db, now.getTime(), BATCH)]);
    // What D1 says was changed counts the changes of triggers as well.
    const { length } = rowsOf(deleted);
    forgotten += length;
    return length >= BATCH;
  });
  return forgotten;
}
