import type { Action } from "../../contract/audit.ts";
import { type EventSecret, insertEvent, type NewEvent } from "../audit/insert-event.ts";
import { noteFailures } from "../store/integrity-rows.ts";
import { runBatch } from "../store/run-batch.ts";
import type { BrokenRow } from "./verify-row.ts";

/** What an event on record says that it released, and that did not leave. */
export interface Unreleased {
  /** The action and target of that event. */
  readonly action: Action;
  readonly target?: string | undefined;
  readonly secrets: readonly EventSecret[];
}

/** What a call came to that could not do what it was to do. */
export interface Failure {
  readonly unreleased?: Unreleased | undefined;
  /** Rows that are not what was written. */
  readonly broken: readonly BrokenRow[];
}

/** What a verb throws whose event is on record, and of which nothing leaves: the failure, and as its cause the reason. */
export class UnreleasedError extends Error {
  override readonly name = "UnreleasedError";
  constructor(
    readonly failure: Failure,
    cause: unknown,
  ) {
    super("what is on record did not leave", { cause });
  }
}

/** How many broken rows of one call have an event of their own; all of them are noted. */
const MOST = 20;

/**
 * Records what a call could not do. It does not ask whether the caller's token is in force: a broken row may be what
 * decides that.
 *
 * @throws {Problem} `storage-unavailable`.
 */
export async function recordFailure(
  { db, now }: { readonly db: D1Database; readonly now: Date },
  actor: NewEvent["actor"],
  { unreleased, broken }: Failure,
): Promise<void> {
  const failed = { actor, outcome: "failed", at: now } as const;
  await runBatch(db, [
    ...(unreleased && unreleased.secrets.length > 0
      ? [insertEvent(db, { ...failed, action: unreleased.action, target: unreleased.target ?? null }, unreleased.secrets)]
      : []),
    ...broken.slice(0, MOST).map(({ table, key }) => insertEvent(db, { ...failed, action: "integrity.failed", target: `${table} ${key.join(" ")}` }, [])),
    ...(broken.length > 0 ? [noteFailures(db, broken, now.getTime())] : []),
  ]);
}
