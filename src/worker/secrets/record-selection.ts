import type { Action } from "../../contract/audit.ts";
import type { Caller } from "../access/caller.ts";
import { unauthenticated } from "../access/verify-token.ts";
import { insertEvent } from "../audit/insert-event.ts";
import { type ResolutionQuery, releasedSecrets, selectWinners, type Winner, type WinnerRow } from "../store/resolution.ts";
import { notInForce, type StandingRow, selectStanding } from "../store/revocation-rows.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import type { CallerNeeds } from "../transaction/run-for-caller.ts";
import { judgeStanding, tokenMarks } from "../transaction/token-standing.ts";
import { type RecordedSelection, selectionOf } from "./selection.ts";
import { verifyFound } from "./verify-found.ts";

/** The event that puts a selection on record. */
export interface SelectionEvent {
  readonly action: Action;
  /** What the values are for, where that is no secret. */
  readonly target?: string;
}

/**
 * Selects what a query means and puts it on record, in one transaction: the event is computed by the same search that
 * selects the values, so what is not on record cannot leave. The statement that writes the event writes none for a
 * token that is not in force. Every row that decided comes with its seal and is verified before anything is released:
 * so the event of what was bent is there, and a second one says that it failed.
 *
 * @throws {Problem} what {@link selectionOf} refuses, `unauthenticated` when the token is not in force,
 *   `integrity-failed`, `storage-unavailable`.
 */
export async function recordSelection(
  { db, keyring, now }: CallerNeeds & { readonly now: Date },
  caller: Caller,
  query: ResolutionQuery,
  event: SelectionEvent,
): Promise<RecordedSelection> {
  const marks = tokenMarks(caller);
  const unless = marks === null ? undefined : { sql: notInForce, parameter: JSON.stringify(marks) };
  const [recorded, found, standing] = await runBatch(db, [
    insertEvent(db, { ...event, actor: caller, outcome: "allowed", at: now }, { ...releasedSecrets(query), unless }),
    selectWinners(db, query),
    ...(marks === null ? [] : [selectStanding(db, marks)]),
  ]);
  if (marks !== null) await judgeStanding(keyring, marks, rowsOf<StandingRow>(standing)[0]);
  const [written] = rowsOf<{ secrets: string }>(recorded);
  if (!written) throw unauthenticated("revoked");
  const rows = rowsOf<WinnerRow>(found);
  const winners = rows.filter((row): row is WinnerRow & Winner => row.name !== null);
  await verifyFound(keyring, rows[0]?.links ?? "[]", winners);
  const selection = selectionOf(query, rows);
  if ((JSON.parse(written.secrets) as unknown[]).length !== selection.secrets.length) throw new Error("the audit event and the selected secrets differ");
  return selection as RecordedSelection;
}
