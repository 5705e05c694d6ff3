import type { Action, Outcome } from "../../contract/audit.ts";
import { SECRETS } from "./event-secrets.ts";

/** An event as D1 has it, with its list of secrets, wherever that is. `secrets` is JSON. */
export interface EventRow {
  readonly version: number;
  readonly seq: number;
  readonly at: number;
  readonly org: string;
  readonly actor: string;
  readonly token_id: string | null;
  /** Who issued the token; `null` where there was none, and in versions below 5. */
  readonly issuer: string | null;
  readonly action: Action;
  readonly outcome: Outcome;
  readonly secrets: string;
  readonly target: string | null;
  readonly request_id: string;
  readonly ip: string | null;
  readonly user_agent: string | null;
  /** What it says of a lease, as JSON ({@link StoredLease}); `null` where it is about none. */
  readonly lease: string | null;
  /** How many secrets it is about; `null` where `secrets` has all of them and is not long. */
  readonly secrets_total: number | null;
}

/** Which events are wanted. Times are milliseconds since 1970. */
export interface EventFilter {
  readonly action: Action | null;
  readonly actor: string | null;
  readonly secret_id: string | null;
  readonly outcome: Outcome | null;
  readonly since: number | null;
  readonly until: number | null;
}

/** The same, of which part of a log. It goes to D1 as one JSON parameter. */
export interface EventQuery extends EventFilter {
  readonly org: string;
  /** The list goes on beyond this `seq`; `null` to begin. */
  readonly beyond: number | null;
  readonly order: "newest first" | "oldest first";
  readonly limit: number;
}

/** Where a read of the log goes on that did not find as many events as it may: beyond which event; `null` at the end of what D1 has. */
export interface Scanned {
  readonly beyond: number | null;
}

/** How many events one read looks at, at the most, to find those that match. */
export const SCAN = 5_000;
/** An event's time is when its request began, so times are in the order of `seq` only to within this, in milliseconds. */
const SLACK = 60_000;

export const EVENT_COLUMNS = `e.version, e.seq, e.at, e.org, e.actor, e.token_id, e.issuer, e.action, COALESCE(e.finer_outcome, e.outcome) AS outcome, ${SECRETS} AS secrets, e.target, e.request_id, e.ip, e.user_agent, e.lease, e.secrets_total`;

/**
 * Selects the matching events ({@link EventRow}) among the next ones that D1 has of the log, and where that goes on
 * ({@link Scanned}). Without filters it reads what it returns.
 */
export function selectEvents(db: D1Database, query: EventQuery): [events: D1PreparedStatement, scanned: D1PreparedStatement] {
  const { events, scanned } = query.secret_id === null ? inWindow(query) : bySecret(query);
  const parameter = JSON.stringify(query);
  return [db.prepare(events).bind(parameter), db.prepare(scanned).bind(parameter)];
}

interface Selects {
  readonly events: string;
  readonly scanned: string;
}

const LAST = Number.MAX_SAFE_INTEGER;
const OF_LOG = "audit_events e WHERE e.org = ?1 ->> 'org'";

/** All events: those that match in a window of the log, which begins with the next event that there is. */
function inWindow(query: EventQuery): Selects {
  const { low, high } = bounds(query);
  const newest = query.order === "newest first";
  const direction = newest ? "DESC" : "ASC";
  const first = `(SELECT e.seq FROM ${OF_LOG} AND e.seq > ${low} AND e.seq <= ${high} ORDER BY e.seq ${direction} LIMIT 1)`;
  // One bound on each side: of two D1 goes by the one and tries each row against the other.
  const inside = newest
    ? `e.seq > MAX(${low}, ${first} - ${SCAN}) AND e.seq <= ${first}`
    : `e.seq >= ${first} AND e.seq <= MIN(${high}, ${first} + ${SCAN - 1})`;
  const outside = newest ? `e.seq > ${low} AND e.seq <= ${first} - ${SCAN}` : `e.seq >= ${first} + ${SCAN} AND e.seq <= ${high}`;
  return {
    events: `SELECT ${EVENT_COLUMNS} FROM ${OF_LOG} AND ${inside} AND ${matching(query)} ORDER BY e.seq ${direction} LIMIT ?1 ->> 'limit'`,
    scanned: `SELECT (SELECT e.seq ${newest ? "+" : "-"} 1 FROM ${OF_LOG} AND ${outside} ORDER BY e.seq ${direction} LIMIT 1) AS beyond`,
  };
}

/** Those that name a secret: by the index of them, and in what the digest has not gone through yet. */
function bySecret(query: EventQuery): Selects {
  const { low, high } = bounds(query);
  const newest = query.order === "newest first";
  const direction = newest ? "DESC" : "ASC";
  const filtered = [query.action, query.actor, query.outcome, query.since, query.until].some((filter) => filter !== null);
  const limit = filtered ? String(SCAN) : "?1 ->> 'limit'";
  const digested = "COALESCE((SELECT m.seq FROM audit_marks m WHERE m.job = 'secrets' AND m.org = ?1 ->> 'org'), 0)";
  const indexed = `SELECT b.seq FROM audit_by_secret b WHERE b.org = ?1 ->> 'org' AND b.secret_id = ?1 ->> 'secret_id' AND b.seq > ${low} AND b.seq <= ${high} ORDER BY b.seq ${direction} LIMIT ${limit}`;
  const fresh = `SELECT e.seq FROM ${OF_LOG} AND e.seq > MAX(${digested}, ${low}) AND e.seq <= ${high}
    AND EXISTS (SELECT 1 FROM json_each(${SECRETS}) j WHERE j.value ->> 'id' = ?1 ->> 'secret_id') ORDER BY e.seq ${direction} LIMIT ${limit}`;
  const candidates = `SELECT seq FROM (SELECT seq FROM (${indexed}) UNION SELECT seq FROM (${fresh})) ORDER BY seq ${direction} LIMIT ${limit}`;
  return {
    events: `SELECT ${EVENT_COLUMNS} FROM (${candidates}) c CROSS JOIN audit_events e ON e.org = ?1 ->> 'org' AND e.seq = c.seq WHERE ${matching(query)} ORDER BY e.seq ${direction} LIMIT ?1 ->> 'limit'`,
    // Unfiltered, a page that is not full is the end.
    scanned: filtered
      ? `SELECT CASE WHEN COUNT(*) = ${SCAN} THEN ${newest ? "MIN" : "MAX"}(seq) END AS beyond FROM (${candidates})`
      : "SELECT NULL AS beyond WHERE ?1 IS NOT NULL",
  };
}

/**
 * SQL for between which events a read looks: after `low`, up to `high`. Checkpoints know when their stretches were written:
 * what lies wholly outside of the times asked for is not looked at.
 */
function bounds({ beyond, since, until, order }: EventQuery): { readonly low: string; readonly high: string } {
  const newest = order === "newest first";
  const lows = [
    !newest && beyond !== null && "?1 ->> 'beyond'",
    since !== null &&
      `COALESCE((SELECT k.last_seq FROM audit_checkpoints k WHERE k.org = ?1 ->> 'org' AND k.last_at < (?1 ->> 'since') - ${SLACK} ORDER BY k.last_at DESC LIMIT 1), -${LAST})`,
  ];
  const highs = [
    newest && beyond !== null && "(?1 ->> 'beyond') - 1",
    until !== null &&
      `COALESCE((SELECT k.last_seq FROM audit_checkpoints k WHERE k.org = ?1 ->> 'org' AND k.last_at > (?1 ->> 'until') + ${SLACK} ORDER BY k.last_at LIMIT 1), ${LAST})`,
  ];
  const given = (sides: readonly (string | false)[]) => sides.filter((side) => side !== false).map((side) => `, ${side}`);
  return { low: `MAX(-${LAST}, -${LAST}${given(lows).join("")})`, high: `MIN(${LAST}, ${LAST}${given(highs).join("")})` };
}

function matching({ action, actor, outcome, since, until }: EventFilter): string {
  const conditions = [
    "true",
    action !== null && "e.action = ?1 ->> 'action'",
    actor !== null && "e.actor = ?1 ->> 'actor'",
    outcome !== null && "COALESCE(e.finer_outcome, e.outcome) = ?1 ->> 'outcome'",
    since !== null && "e.at >= ?1 ->> 'since'",
    until !== null && "e.at < ?1 ->> 'until'",
  ];
  return conditions.filter((condition) => condition !== false).join(" AND ");
}

/** How many characters of secrets are sealed at once, beside the last event: a resolve can name 500, and all is read at once. */
const SEALED_SIZE = 2_000_000;

/** Up to how many events of a log are wanted. */
export interface Share {
  readonly org: string;
  readonly limit: number;
}

/**
 * Selects of each of some logs the next events that no checkpoint seals, oldest first, log by log ({@link EventRow}). Of
 * the later logs there are fewer, or none, where those before them name very many secrets. Numbers follow each other: what
 * comes after one that is missing may be left out.
 */
export function selectUnsealed(db: D1Database, shares: readonly Share[]): D1PreparedStatement {
  const first = `(SELECT MIN(f.seq) FROM audit_events f WHERE f.org = j.value ->> 'org'
    AND f.seq > COALESCE((SELECT k.last_seq FROM audit_checkpoints k WHERE k.org = j.value ->> 'org' ORDER BY k.number DESC LIMIT 1), 0))`;
  return db
    .prepare(
      `SELECT * FROM (
         SELECT *, SUM(length(secrets)) OVER (ORDER BY place, seq ROWS UNBOUNDED PRECEDING) - length(secrets) AS size_before FROM (
           SELECT l.place, ${EVENT_COLUMNS}
           FROM (SELECT j.key AS place, j.value ->> 'org' AS org, ${first} AS first, j.value ->> 'limit' AS most FROM json_each(?) j) l
           CROSS JOIN audit_events e ON e.org = l.org AND e.seq >= l.first AND e.seq < l.first + l.most
         )
       ) WHERE size_before < ${SEALED_SIZE} ORDER BY place, seq`,
    )
    .bind(JSON.stringify(shares));
}

/** Selects up to `limit` events from `first` on, oldest first ({@link EventRow}). */
export function selectStretch(db: D1Database, org: string, first: number, limit: number): D1PreparedStatement {
  return db.prepare(`SELECT ${EVENT_COLUMNS} FROM audit_events e WHERE e.org = ? AND e.seq >= ? ORDER BY e.seq LIMIT ?`).bind(org, first, limit);
}

/** How many of the events that are not sealed yet {@link selectNewerEvent} looks at: as many as one checkpoint seals. */
const LOOKED_AT = 1_000;

/** An event of a version that is not known. */
export type NewerEvent = Pick<EventRow, "seq" | "version">;

/** Selects the first of the events that no checkpoint seals yet whose version is after `newest` ({@link NewerEvent}). */
export function selectNewerEvent(db: D1Database, org: string, newest: number): D1PreparedStatement {
  return db
    .prepare(
      `SELECT seq, version FROM (
         SELECT seq, version FROM audit_events
         WHERE org = ?1 AND seq > COALESCE((SELECT k.last_seq FROM audit_checkpoints k WHERE k.org = ?1 ORDER BY k.number DESC LIMIT 1), 0)
         ORDER BY seq LIMIT ${LOOKED_AT}
       ) WHERE version > ?2 ORDER BY seq LIMIT 1`,
    )
    .bind(org, newest);
}
