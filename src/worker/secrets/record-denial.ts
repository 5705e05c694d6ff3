import type { Action } from "../../contract/audit.ts";
import type { ProblemSubject } from "../../contract/problem.ts";
import type { Caller } from "../access/caller.ts";
import { insertEvent } from "../audit/insert-event.ts";
import { runForCaller } from "./run-for-caller.ts";

/**
 * Records that a valid token was refused something.
 *
 * @throws {Problem} `storage-unavailable`.
 */
export async function recordDenial(needs: { db: D1Database; now: Date }, caller: Caller, action: Action, about: ProblemSubject | undefined): Promise<void> {
  const named = about && (about.scope !== null || about.name !== null) ? [{ id: null, version: null, ...about }] : [];
  await runForCaller(needs.db, caller, [insertEvent(needs.db, { actor: caller, action, outcome: "denied", at: needs.now }, named)]);
}
