import type { Quotas } from "../../contract/quota.ts";
import type { Caller } from "../access/caller.ts";
import { type EventSecret, insertEvent, type OpenedLease } from "../audit/insert-event.ts";
import { type EpochRow, selectEpochs } from "../store/epoch-rows.ts";
import { type QuotaRow, selectQuotas } from "../store/quota-rows.ts";
import { partlyAbsent, type ResolutionQuery, releasedSecrets, selectWinners, type Winner, type WinnerRow } from "../store/resolution.ts";
import { notInForce, type StandingRow, selectStanding } from "../store/revocation-rows.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { eventQuota, noEventLeft, noMoreOf } from "../transaction/event-quota.ts";
import { ownQuotas } from "../transaction/own-quotas.ts";
import { type Failure, recordFailure, UnreleasedError } from "../transaction/record-failure.ts";
import type { CallerNeeds } from "../transaction/run-for-caller.ts";
import { judgeStanding, tokenMarks } from "../transaction/token-standing.ts";
import { type BrokenRow, IntegrityProblem } from "../transaction/verify-row.ts";
import { leaveOut } from "./leave-out.ts";
import { type AttributedSelection, isReleased, type RecordedSelection, type Selection, type SelectionEvent, selectionOf, winnersIn } from "./selection.ts";
import { type Unverified, verifyFound } from "./verify-found.ts";

/** What recording a selection needs. */
export type RecordNeeds = CallerNeeds & { readonly now: Date; readonly quotas: Quotas };

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
 * so the event of what was bent is there, and a second one says that it did not leave.
 *
 * @throws {Problem} what {@link selectionOf} refuses, `unauthenticated` when the token is not in force, `rate-limited` when the
 *   organization has had its events of this minute, `storage-unavailable`.
 * @throws {UnreleasedError} when the event is there and nothing of it may leave: `integrity-failed`, `storage-unavailable`.
 */
export async function recordSelection(
  needs: RecordNeeds,
  caller: Caller,
  query: ResolutionQuery,
  { lease, ...event }: SelectionEvent,
): Promise<RecordedSelection & { readonly lease: RecordedLease | null }> {
  const { db, keyring, now, quotas } = needs;
  const marks = tokenMarks(caller);
  const unless = { sql: marks === null ? noMoreNow : notNow, parameter: JSON.stringify({ ...marks, ...eventQuota(caller.org, quotas, now) }) };
  const recording = { ...event, actor: caller, outcome: "allowed", at: now } as const;
  // It comes first: where there is no event left for what is there, nothing leaves.
  const absent = query.names !== null && !query.strict ? [insertEvent(db, recording, { ...partlyAbsent(query), unless })] : [];
  const results = await runBatch(db, [
    ...absent,
    insertEvent(db, { ...recording, lease: lease?.opened }, { ...releasedSecrets(query), unless }),
    selectWinners(db, query),
    marks === null ? selectQuotas(db, caller.org) : selectStanding(db, marks),
    ...(lease ? [selectEpochs(db, lease.orgs)] : []),
  ]);
  const [recorded, found, ...others] = results.slice(absent.length);
  const [written] = rowsOf<WrittenEvent>(recorded);
  // Of what is not there nothing leaves.
  const named = written && written.finer_outcome === null ? (JSON.parse(written.secrets) as EventSecret[]) : [];
  const unverified: Unverified[] = [];
  try {
    if (marks !== null) await judgeStanding(keyring, marks, rowsOf<StandingRow>(others[0])[0]);
    else await ownQuotas(keyring, rowsOf<QuotaRow>(others[0])[0]);
    if (!written) throw noEventLeft();
    const rows = rowsOf<WinnerRow>(found);
    unverified.push(...(await verifyFound(keyring, rows[0]?.links ?? "[]", winnersIn(rows))));
    const selection = judge(query, rows, unverified);
    requireSame(named, rows);
    if (unverified.length > 0) await recordFailure({ db, now }, caller, failureOf(event, named, unverified));
    const attributed: AttributedSelection = { ...selection, caller, event, needed: query };
    const opened = recordedLease(lease?.opened, written, winnersIn(rows), now, stateOf(rows), rowsOf(others.at(-1)));
    return { ...(attributed as RecordedSelection), lease: opened };
  } catch (error) {
    if (named.length === 0 && unverified.length === 0) throw error;
    throw new UnreleasedError({ unreleased: { ...event, secrets: named }, broken: brokenIn(unverified) }, error);
  }
}

/** SQL for whether nothing more can be put on record now: what asks for what is not there, and is refused, takes of the part of refused calls. */
function noMoreNow(parameter: string): string {
  return noMoreOf("absent IS NOT NULL AND refused", parameter);
}

/** SQL for whether a token is not in force, or that. */
function notNow(parameter: string): string {
  return `${notInForce(parameter)} OR ${noMoreNow(parameter)}`;
}

/** What is broken refuses a resolve by name, whatever else there is; a seal whose key is missing only what needs it. */
function judge(query: ResolutionQuery, rows: readonly WinnerRow[], unverified: readonly Unverified[]): Selection {
  const unhad = unverified.map(({ name, problem }) => ({
    name,
    problem,
    reason: problem.code === "integrity-failed" ? problem.code : ("key-missing" as const),
  }));
  const broken = unhad.filter(({ reason }) => reason === "integrity-failed");
  leaveOut(query, broken);
  const selection = selectionOf(
    query,
    rows,
    unhad.map(({ name, reason }) => ({ name, reason })),
  );
  leaveOut(query, unhad);
  return selection;
}

function failureOf(event: Omit<SelectionEvent, "lease">, named: readonly EventSecret[], unverified: readonly Unverified[]): Failure {
  const names = new Set(unverified.map(({ name }) => name));
  return { unreleased: { ...event, secrets: named.filter(({ name }) => name !== null && names.has(name)) }, broken: brokenIn(unverified) };
}

function brokenIn(unverified: readonly Unverified[]): BrokenRow[] {
  return unverified.flatMap(({ problem }) => (problem instanceof IntegrityProblem ? [problem.row] : []));
}

/** What the event names and what may leave are found by two statements of one transaction. */
function requireSame(named: readonly EventSecret[], rows: readonly WinnerRow[]): void {
  const releasable = winnersIn(rows).filter(isReleased);
  const ids = new Set(named.map(({ id }) => id));
  if (named.length !== releasable.length || !releasable.every(({ id }) => ids.has(id))) throw new Error("the audit event and the selected secrets differ");
}

/** What decided what was found: two searches with the same come to the same values. */
export function stateOf(rows: readonly WinnerRow[]): string {
  const found = rows.map((row) => (row.name === null ? [] : [row.name, row.label, row.id, row.version, row.seal, row.expired, row.outside]));
  return JSON.stringify([rows[0]?.searched, rows[0]?.links, rows[0]?.empty, rows[0]?.object, found.map((each) => JSON.stringify(each)).sort()]);
}

interface WrittenEvent {
  readonly secrets: string;
  readonly lease: string | null;
  readonly finer_outcome: string | null;
}

function recordedLease(
  asked: OpenedLease | undefined,
  { secrets, lease }: WrittenEvent,
  winners: readonly Winner[],
  now: Date,
  state: string,
  epochs: readonly EpochRow[],
): RecordedLease | null {
  if (asked === undefined || lease === null) return null;
  const { id, until } = JSON.parse(lease) as OpenedLease;
  // The event was computed before anything was verified.
  const ends = winners
    .filter(isReleased)
    .flatMap(({ expires_at, max_lease_seconds }) => [
      ...(expires_at === null ? [] : [expires_at]),
      ...(max_lease_seconds === null ? [] : [now.getTime() + 1000 * max_lease_seconds]),
    ]);
  const limit = Math.min(asked.until, ...ends);
  if (id !== asked.id || until > limit) throw new Error("the audit event's lease and the selected secrets differ");
  return { id, until, epochs, secrets, state };
}
