import type { Action } from "../../contract/audit.ts";
import { Problem } from "../../contract/problem.ts";
import type { Caller } from "../access/caller.ts";
import { type EventSecret, insertEvent } from "../audit/insert-event.ts";
import { selectRecorded } from "../audit/was-recorded.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { type CallerNeeds, runForCaller } from "./run-for-caller.ts";

/** What a write leaves in the audit log. */
export interface Recorded {
  readonly action: Action;
  readonly secrets: readonly EventSecret[];
  /** What it was done to, where that is no secret. */
  readonly target?: string;
}

/**
 * Runs a write and its audit event as one transaction. D1 never repeats a write, and one that failed may have happened
 * all the same: then the event is there, and says so. Returns the results of the statements that it was given, in their order,
 * or none in that case.
 *
 * @throws {GuardError} when a guard statement stopped it.
 * @throws {Problem} `unauthenticated`, `storage-unavailable` when it is not known to have happened.
 */
export async function writeForCaller(
  needs: CallerNeeds & { readonly now: Date },
  caller: Caller,
  statements: D1PreparedStatement[],
  recorded: Recorded,
): Promise<D1Result<never>[]> {
  const { db, now } = needs;
  const { action, secrets, target } = recorded;
  const event = insertEvent(db, { actor: caller, action, outcome: "allowed", at: now, ...(target !== undefined && { target }) }, secrets);
  try {
    return (await runForCaller(needs, caller, [...statements, event])).slice(0, statements.length);
  } catch (error) {
    if (!(error instanceof Problem && error.code === "storage-unavailable")) throw error;
    const [found] = await runBatch(db, [selectRecorded(db, caller.org, caller.requestId, action)]);
    if (rowsOf(found).length === 0) throw error;
    return [];
  }
}
