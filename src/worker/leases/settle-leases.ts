import { forgetUnsettled, insertLeaseEvents, selectUnsettled, type UnsettledRow } from "../audit/lease-events.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";

/** How long after its end a lease's last count may come, in milliseconds. */
const GRACE = 120_000;
/** How many one run writes. */
const AT_ONCE = 200;
/** For how long `/readyz` counts one, in milliseconds. */
const COUNTED = 86_400_000;

/**
 * Puts on record which leases have ended without their last count, because the isolate that counted is gone: at least so
 * often as was reported, and at most as often as was allowed.
 *
 * @throws {Problem} `storage-unavailable`.
 */
export async function settleLeases({ db, now }: { readonly db: D1Database; readonly now: Date }): Promise<number> {
  const [, found] = await runBatch(db, [forgetUnsettled(db, now.getTime() - COUNTED), selectUnsettled(db, now.getTime() - GRACE, AT_ONCE)]);
  const rows = rowsOf<UnsettledRow>(found);
  if (rows.length === 0) return 0;
  const events = rows.map(({ id, max_uses, uses, ...facts }) => ({ ...facts, action: "lease.unsettled" as const, lease: { id, max_uses, uses } }));
  await runBatch(db, insertLeaseEvents(db, events, now));
  return rows.length;
}
