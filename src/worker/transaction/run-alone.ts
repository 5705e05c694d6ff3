import { rowsOf, runBatch } from "../store/run-batch.ts";
import { releaseHold, takeHold } from "../store/run-hold.ts";
import { newId } from "./new-id.ts";

/**
 * Does what only one may do at a time. Of two that begin at once one does it. The place of one that died is free 90 seconds
 * after it began; `work` has to be over by then.
 *
 * @returns Whether it was done, and not left to another one.
 * @throws {Problem} `storage-unavailable` when it is not known whether another one is at work.
 */
export async function runAlone({ db, now }: { readonly db: D1Database; readonly now: Date }, work: () => Promise<void>): Promise<boolean> {
  const holder = newId("run");
  const [taken] = await runBatch(db, [takeHold(db, holder, now.getTime())]);
  if (rowsOf(taken).length === 0) return false;
  try {
    await work();
  } finally {
    await runBatch(db, [releaseHold(db, holder)]);
  }
  return true;
}
