import type { Caller } from "../access/caller.ts";
import { insertEvent } from "../audit/insert-event.ts";
import { runBatch } from "../store/run-batch.ts";
import { deleteSession } from "../store/session-rows.ts";
import type { SessionNeeds } from "./begin-session.ts";

/**
 * Ends a session, also one whose token is not in force any more. It is on record.
 *
 * @throws {Problem} `storage-unavailable`.
 */
export async function endSession({ db, now }: SessionNeeds, caller: Caller, hash: string): Promise<void> {
  const event = insertEvent(db, { actor: caller, action: "session.delete", outcome: "allowed", at: now }, []);
  await runBatch(db, [deleteSession(db, hash), event]);
}
