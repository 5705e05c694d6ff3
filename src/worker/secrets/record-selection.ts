import type { Action } from "../../contract/audit.ts";
import type { Caller } from "../access/caller.ts";
import { unauthenticated } from "../access/verify-token.ts";
import { insertEvent } from "../audit/insert-event.ts";
import { type ResolutionQuery, releasedSecrets, selectWinners, type WinnerRow } from "../store/resolution.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { tokenRevoked } from "../store/token-rows.ts";
import { type RecordedSelection, selectionOf } from "./selection.ts";

/** The event that puts a selection on record. */
export interface SelectionEvent {
  readonly action: Action;
  /** What the values are for, where that is no secret. */
  readonly target?: string;
}

/**
 * Selects what a query means and puts it on record, in one transaction: the event is computed by the same search that
 * selects the values, so what is not on record cannot leave. A revoked token is found in the statement that writes the
 * event: one statement less than a guard of its own.
 *
 * @throws {Problem} what {@link selectionOf} refuses, `unauthenticated` when the token has been revoked,
 *   `storage-unavailable`.
 */
export async function recordSelection(
  { db, now }: { readonly db: D1Database; readonly now: Date },
  caller: Caller,
  query: ResolutionQuery,
  event: SelectionEvent,
): Promise<RecordedSelection> {
  const [recorded, found] = await runBatch(db, [
    insertEvent(
      db,
      { ...event, actor: caller, outcome: "allowed", at: now },
      { ...releasedSecrets(query), unless: ({ org, tokenId }) => tokenRevoked(tokenId, org) },
    ),
    selectWinners(db, query),
  ]);
  const [written] = rowsOf<{ secrets: string }>(recorded);
  if (!written) throw unauthenticated("revoked");
  const selection = selectionOf(query, rowsOf<WinnerRow>(found));
  if ((JSON.parse(written.secrets) as unknown[]).length !== selection.secrets.length) throw new Error("the audit event and the selected secrets differ");
  return selection as RecordedSelection;
}
