import type { Action } from "../../contract/audit.ts";
import type { Caller } from "../access/caller.ts";
import { networkOf } from "../access/network-of.ts";
import { unauthenticated } from "../access/verify-token.ts";
import { insertEvent, type OpenedLease } from "../audit/insert-event.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { type EpochRow, type SeenOrg, selectEpochs } from "../store/epoch-rows.ts";
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
  /** The lease that it opens, and the organizations whose epochs are read with what is selected. */
  readonly lease?: { readonly opened: OpenedLease; readonly orgs: readonly SeenOrg[] } | undefined;
}

/** A lease that is on record. */
export interface RecordedLease {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly until: number;
  readonly epochs: readonly EpochRow[];
  /** What was released, as the event names it. */
  readonly secrets: string;
  /** See {@link stateOf}. */
  readonly state: string;
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
  { lease, ...event }: SelectionEvent,
): Promise<RecordedSelection & { readonly lease: RecordedLease | null }> {
  const marks = tokenMarks(caller);
  const unless = marks === null ? undefined : { sql: notInForce, parameter: JSON.stringify(marks) };
  // Under a lease the same may be given to the whole network.
  const actor = lease ? { ...caller, ip: networkOf(caller.ip) } : caller;
  const [recorded, found, ...others] = await runBatch(db, [
    insertEvent(db, { ...event, actor, outcome: "allowed", at: now, lease: lease?.opened }, { ...releasedSecrets(query), unless }),
    selectWinners(db, query),
    ...(marks === null ? [] : [selectStanding(db, marks)]),
    ...(lease ? [selectEpochs(db, lease.orgs)] : []),
  ]);
  if (marks !== null) await judgeStanding(keyring, marks, rowsOf<StandingRow>(others[0])[0]);
  const [written] = rowsOf<WrittenEvent>(recorded);
  if (!written) throw unauthenticated("revoked");
  const rows = rowsOf<WinnerRow>(found);
  const winners = await verifyWinners(keyring, rows);
  const selection = selectionOf(query, rows);
  if ((JSON.parse(written.secrets) as unknown[]).length !== selection.secrets.length) throw new Error("the audit event and the selected secrets differ");
  return { ...(selection as RecordedSelection), lease: recordedLease(lease?.opened, written, winners, stateOf(rows), rowsOf(others.at(-1))) };
}

/** The secrets that a search found, verified with all that decided it. */
export async function verifyWinners(keyring: Keyring, rows: readonly WinnerRow[]): Promise<Winner[]> {
  const winners = rows.filter((row): row is WinnerRow & Winner => row.name !== null);
  await verifyFound(keyring, rows[0]?.links ?? "[]", winners);
  return winners;
}

/** What decided what was found: two searches with the same come to the same values. */
export function stateOf(rows: readonly WinnerRow[]): string {
  const found = rows.map((row) => (row.name === null ? [] : [row.name, row.label, row.id, row.version, row.seal, row.expired]));
  return JSON.stringify([rows[0]?.searched, rows[0]?.links, found.map((each) => JSON.stringify(each)).sort()]);
}

interface WrittenEvent {
  readonly secrets: string;
  readonly lease: string | null;
}

function recordedLease(
  asked: OpenedLease | undefined,
  { secrets, lease }: WrittenEvent,
  winners: readonly Winner[],
  state: string,
  epochs: readonly EpochRow[],
): RecordedLease | null {
  if (asked === undefined || lease === null) return null;
  const { id, until } = JSON.parse(lease) as OpenedLease;
  // The event was computed before anything was verified.
  const limit = Math.min(asked.until, ...winners.flatMap(({ expired, expires_at }) => (expired || expires_at === null ? [] : [expires_at])));
  if (id !== asked.id || until > limit) throw new Error("the audit event's lease and the selected secrets differ");
  return { id, until, epochs, secrets, state };
}
