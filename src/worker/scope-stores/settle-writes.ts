import { noteFailures } from "../store/integrity-rows.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { type DueWrite, deferWrite, selectDueWrites } from "../store/store-write-rows.ts";
import { IntegrityProblem, verifyRow } from "../transaction/verify-row.ts";
import type { PlaceNeeds } from "./place-needs.ts";
import { type Settled, settleWrite } from "./settle-write.ts";

type Needs = Omit<PlaceNeeds, "address" | "defer">;

/** How many one run asks about, of all organizations. */
const AT_ONCE = 20;
const MINUTE = 60_000;
/** When a row that is not what was written is looked at again, in milliseconds. */
const BROKEN_AGAIN = 3_600_000;

/**
 * Finds out what stores have done of what was begun there and has not ended here, a few at the same time, and ends it. Organizations
 * take turns. Returns how many became what.
 *
 * @throws {AggregateError} when it failed for some; for the others it is done.
 */
export async function settleWrites(needs: Needs): Promise<Readonly<Record<string, number>>> {
  const { db, now } = needs;
  const failures: unknown[] = [];
  const turn = Math.floor(now.getTime() / MINUTE);
  const [found] = await runBatch(db, [selectDueWrites(db, { now: now.getTime(), turn }, AT_ONCE)]);
  const settled = await Promise.all(rowsOf<DueWrite>(found).map((row) => settleOrNote(needs, row, failures)));
  if (failures.length > 0) throw new AggregateError(failures, "what was begun in stores could not be ended");
  return Object.fromEntries([...Map.groupBy(settled, (one) => one)].map(([became, some]) => [became, some.length]));
}

async function settleOrNote(needs: Needs, row: DueWrite, failures: unknown[]): Promise<Settled | undefined> {
  const { db, now } = needs;
  const work: Promise<unknown>[] = [];
  try {
    const verified = await verifyRow(needs.keyring, "store_writes", row);
    return await settleWrite({ ...needs, defer: (one) => void work.push(one) }, verified);
  } catch (error) {
    failures.push(error);
    const broken = error instanceof IntegrityProblem ? [noteFailures(db, [error.row], now.getTime())] : [];
    const at = now.getTime();
    await runBatch(db, [...broken, deferWrite(db, row.operation, { askedAt: at, retryAt: at + BROKEN_AGAIN })]);
    return undefined;
  } finally {
    await Promise.all(work);
  }
}
