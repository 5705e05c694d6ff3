import type { Action } from "../../contract/audit.ts";
import type { ProblemSubject } from "../../contract/problem.ts";
import type { Quotas } from "../../contract/quota.ts";
import type { Caller } from "../access/caller.ts";
import { type EventSecret, givenSecrets, insertEvent } from "../audit/insert-event.ts";
import { rowsOf } from "../store/run-batch.ts";
import { noEventLeft, unlessRefusalsUsedUp } from "./event-quota.ts";
import { type CallerNeeds, runForCaller } from "./run-for-caller.ts";

/** What a refused call tried to do. */
export interface Attempt {
  readonly action: Action;
  /** The id of the secret that it asked for, where it did so by id. */
  readonly secretId: string | null;
  /** What else it would have been done to: a token's id, a trust's name, a scope. */
  readonly target: string | null;
}

/** What recording a denial needs. */
export type DenialNeeds = CallerNeeds & { readonly now: Date; readonly quotas: Quotas };

/**
 * Records that a valid token was refused something, and what it asked for. Refused calls take a part of an organization's
 * events and no more: beyond that a caller is told to wait, and nothing else.
 *
 * @throws {Problem} `rate-limited`, `storage-unavailable`.
 */
export async function recordDenial(needs: DenialNeeds, caller: Caller, { action, secretId, target }: Attempt, about: readonly ProblemSubject[]): Promise<void> {
  const { db, now, quotas } = needs;
  const asked = about.length === 0 && secretId !== null ? [{ scope: null, name: null }] : about;
  const secrets = asked.map((subject): EventSecret => ({ id: secretId, version: null, ...subject }));
  const unless = unlessRefusalsUsedUp(caller.org, quotas, now);
  const [written] = await runForCaller(needs, caller, [
    insertEvent(db, { actor: caller, action, outcome: "denied", at: now, target }, givenSecrets(secrets, unless)),
  ]);
  if (rowsOf(written).length === 0) throw noEventLeft();
}
