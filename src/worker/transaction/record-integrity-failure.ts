import { insertEvent, type NewEvent } from "../audit/insert-event.ts";
import { noteFailures } from "../store/integrity-rows.ts";
import { runBatch } from "../store/run-batch.ts";
import type { BrokenRow } from "./verify-row.ts";

/**
 * Records that a call was refused because of a row that is not what was written. It does not ask whether the caller's
 * token is in force: the row may be what decides that.
 *
 * @throws {Problem} `storage-unavailable`.
 */
export async function recordIntegrityFailure(
  { db, now }: { readonly db: D1Database; readonly now: Date },
  actor: NewEvent["actor"],
  row: BrokenRow,
): Promise<void> {
  const event = { actor, action: "integrity.failed", outcome: "failed", at: now, target: `${row.table} ${row.key.join(" ")}` } as const;
  await runBatch(db, [insertEvent(db, event, []), noteFailures(db, [row], now.getTime())]);
}
