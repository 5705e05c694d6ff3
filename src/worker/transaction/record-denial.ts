import type { Action } from "../../contract/audit.ts";
import type { ProblemSubject } from "../../contract/problem.ts";
import type { Caller } from "../access/caller.ts";
import { type EventSecret, insertEvent } from "../audit/insert-event.ts";
import { type CallerNeeds, runForCaller } from "./run-for-caller.ts";

/** What a refused call tried to do. */
export interface Attempt {
  readonly action: Action;
  /** The id of the secret that it asked for, where it did so by id. */
  readonly secretId: string | null;
  /** What else it would have been done to: a token's id, a trust's name, a scope. */
  readonly target: string | null;
}

/**
 * Records that a valid token was refused something, and what it asked for.
 *
 * @throws {Problem} `storage-unavailable`.
 */
export async function recordDenial(
  needs: CallerNeeds & { readonly now: Date },
  caller: Caller,
  { action, secretId, target }: Attempt,
  about: readonly ProblemSubject[],
): Promise<void> {
  const { db, now } = needs;
  const asked = about.length === 0 && secretId !== null ? [{ scope: null, name: null }] : about;
  const secrets = asked.map((subject): EventSecret => ({ id: secretId, version: null, ...subject }));
  await runForCaller(needs, caller, [insertEvent(db, { actor: caller, action, outcome: "denied", at: now, target }, secrets)]);
}
