import { selectRestore } from "../store/restore-rows.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";

/** Whether a restore is under way: until it is over, nothing else is done. */
export async function isRestoring({ db }: { readonly db: D1Database }): Promise<boolean> {
  const [found] = await runBatch(db, [selectRestore(db)]);
  return rowsOf(found).length > 0;
}
