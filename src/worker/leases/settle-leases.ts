import { forgetUnsettled, insertLeaseEvents, selectUnsettled, type UnsettledRow } from "../audit/lease-events.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { type BatchNeeds, workInBatches } from "../transaction/work-in-batches.ts";

/** How many one batch writes. */
const BATCH = 200;
/** For how long `/readyz` counts one, in milliseconds. */
const COUNTED = 86_400_000;

/**
 * Puts on record which leases have ended without their last count, because the isolate that counted is gone: at least so
 * often as was reported, and at most as often as was allowed.
 *
 * @throws {Problem} `storage-unavailable`.
 */
export async function settleLeases({ db, now, budget }: BatchNeeds): Promise<number> {
  let settled = 0;
  await workInBatches(budget, async () => {
    const [, found] = await runBatch(db, [forgetUnsettled(db, now.getTime() - COUNTED), selectUnsettled(db, now.getTime(), BATCH)]);
    const rows = rowsOf<UnsettledRow>(found);
    if (rows.length === 0) return false;
    const events = rows.map(({ id, max_uses, uses, ...facts }) => ({ ...facts, action: "lease.unsettled" as const, lease: { id, max_uses, uses } }));
    await runBatch(db, insertLeaseEvents(db, events, now));
    settled += rows.length;
    return rows.length === BATCH;
  });
  return settled;
}
