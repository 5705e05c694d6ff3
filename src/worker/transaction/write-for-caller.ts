import type { Action } from "../../contract/audit.ts";
import { Problem } from "../../contract/problem.ts";
import type { Caller } from "../access/caller.ts";
import { type EventSecret, insertEvent } from "../audit/insert-event.ts";
import { selectRecorded } from "../audit/was-recorded.ts";
import { GuardError, rowsOf, runBatch } from "../store/run-batch.ts";
import { type CallerNeeds, runForCaller } from "./run-for-caller.ts";

/** What a write leaves in the audit log. */
export interface Recorded {
  readonly action: Action;
  readonly secrets: readonly EventSecret[];
  /** What it was done to, where that is no secret. */
  readonly target?: string;
}

/** The number of the last event of a request that is known to have happened: one request may make several transactions with the same action. */
const lastEvents = new WeakMap<Caller, number>();

/**
 * Runs a write and its audit event as one transaction. D1 never repeats a write, and one that failed may have happened
 * all the same: then the event is there, and says so. Returns the results of the statements that it was given, in their order,
 * or none in that case.
 *
 * @throws {GuardError} when another guard statement stopped it.
 * @throws {Problem} `unauthenticated`, `scope-in-store`, `write-conflict` for a secret that is being written to its scope's store,
 *   `storage-unavailable` when it is not known to have happened.
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
    const results = await runForCaller(needs, caller, [...statements, event]);
    note(caller, results.at(-1));
    return results.slice(0, statements.length);
  } catch (error) {
    if (error instanceof GuardError) throw problemOfGuard(error) ?? error;
    if (!(error instanceof Problem && error.code === "storage-unavailable")) throw error;
    const [found] = await runBatch(db, [selectRecorded(db, caller.org, caller.requestId, action, lastEvents.get(caller) ?? 0)]);
    if (rowsOf(found).length === 0) throw error;
    note(caller, found);
    return [];
  }
}

function note(caller: Caller, event: D1Result | undefined): void {
  const [written] = rowsOf<{ readonly seq: number }>(event);
  if (written) lastEvents.set(caller, written.seq);
}

/** What the guards of scopes in stores say to the caller. */
export function problemOfGuard(error: GuardError): Problem | undefined {
  if (error.guard === "scope_in_store")
    return new Problem("scope-in-store", "The scope's values are in a store (GET /v1/scopes says which), and this cannot be done there.", { cause: error });
  return error.guard === "store_write_pending" ? writePending(error) : undefined;
}

/** The answer when a secret is being written to its scope's store. */
export function writePending(cause?: unknown): Problem {
  const detail =
    "An earlier write of the secret to its scope's store is under way, or it is not known whether it has ended, because the store did not answer: that is found out within minutes. Nothing of this call has happened; make it again then.";
  return new Problem("write-conflict", detail, { cause, headers: { "Retry-After": "5" } });
}
