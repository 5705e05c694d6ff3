import type { Caller } from "../access/caller.ts";
import { runForCaller } from "../transaction/run-for-caller.ts";

/**
 * Makes sure that a caller's token is still in force, and does nothing else.
 *
 * @throws {Problem} `unauthenticated`, `storage-unavailable`.
 */
export async function identifyCaller({ db }: { db: D1Database }, caller: Caller): Promise<void> {
  await runForCaller(db, caller, [db.prepare("SELECT 1")]);
}
