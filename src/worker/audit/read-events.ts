import type { Action, Outcome } from "../../contract/audit.ts";

/** An event as D1 has it. `secrets` is JSON. */
export interface EventRow {
  readonly version: number;
  readonly seq: number;
  readonly at: number;
  readonly org: string;
  readonly actor: string;
  readonly token_id: string | null;
  readonly action: Action;
  readonly outcome: Outcome;
  readonly secrets: string;
  readonly target: string | null;
  readonly request_id: string;
  readonly ip: string | null;
  readonly user_agent: string | null;
  /** What it says of a lease, as JSON ({@link StoredLease}); `null` where it is about none. */
  readonly lease: string | null;
}

/** Which events are wanted. It goes to D1 as one JSON parameter. Times are milliseconds since 1970. */
export interface EventQuery {
  readonly org: string;
  readonly action: Action | null;
  readonly actor: string | null;
  readonly secret_id: string | null;
  readonly outcome: Outcome | null;
  readonly since: number | null;
  readonly until: number | null;
  /** The list goes on beyond this `seq`; `null` to begin. */
  readonly beyond: number | null;
  readonly order: "newest first" | "oldest first";
  readonly limit: number;
}

/** How far a read of the log got: how many events it looked at, and the last of them. */
export interface Scanned {
  readonly looked_at: number;
  readonly last: number | null;
}

/** How many events one read looks at, at the most, to find those that match. */
export const SCAN = 5_000;
/** An event's time is when its request began, so times are in the order of `seq` only to within this, in milliseconds. */
const SLACK = 60_000;

const COLUMNS =
  "e.version, e.seq, e.at, e.org, e.actor, e.token_id, e.action, COALESCE(e.finer_outcome, e.outcome) AS outcome, e.secrets, e.target, e.request_id, e.ip, e.user_agent, e.lease";

/** Selects the matching events ({@link EventRow}) among the next ones in the log, and how far that looked ({@link Scanned}). */
export function selectEvents(db: D1Database, query: EventQuery): [events: D1PreparedStatement, scanned: D1PreparedStatement] {
  const parameter = JSON.stringify(query);
  const newest = query.order === "newest first";
  const direction = newest ? "DESC" : "ASC";
  const candidates = candidatesOf(query, newest, direction);
  return [
    db
      .prepare(
        `SELECT ${COLUMNS} FROM (${candidates}) c CROSS JOIN audit_events e ON e.org = ?1 ->> 'org' AND e.seq = c.seq WHERE ${matching(query)} ORDER BY e.seq ${direction} LIMIT ?1 ->> 'limit'`,
      )
      .bind(parameter),
    db.prepare(`SELECT COUNT(*) AS looked_at, ${newest ? "MIN" : "MAX"}(seq) AS last FROM (${candidates})`).bind(parameter),
  ];
}

function candidatesOf({ secret_id, beyond, since, until }: EventQuery, newest: boolean, direction: string): string {
  const within = [
    beyond !== null && `seq ${newest ? "<" : ">"} ?1 ->> 'beyond'`,
    // Checkpoints know when their stretches were written: what lies wholly outside is not looked at.
    since !== null &&
      `seq > COALESCE((SELECT k.last_seq FROM audit_checkpoints k WHERE k.org = ?1 ->> 'org' AND k.last_at < (?1 ->> 'since') - ${SLACK} ORDER BY k.last_at DESC LIMIT 1), 0)`,
    until !== null &&
      `seq <= COALESCE((SELECT k.last_seq FROM audit_checkpoints k WHERE k.org = ?1 ->> 'org' AND k.last_at > (?1 ->> 'until') + ${SLACK} ORDER BY k.last_at LIMIT 1), ${Number.MAX_SAFE_INTEGER})`,
  ];
  const limits = within.filter((condition) => condition !== false).map((condition) => `AND ${condition}`);
  const source =
    secret_id === null
      ? "SELECT seq FROM audit_events WHERE org = ?1 ->> 'org'"
      : `SELECT seq FROM (
           SELECT seq FROM audit_by_secret WHERE org = ?1 ->> 'org' AND secret_id = ?1 ->> 'secret_id'
           UNION
           SELECT t.seq FROM audit_events t CROSS JOIN json_each(t.secrets) j WHERE t.org = ?1 ->> 'org' AND j.value ->> 'id' = ?1 ->> 'secret_id'
             AND t.seq > COALESCE((SELECT m.seq FROM audit_marks m WHERE m.job = 'secrets' AND m.org = ?1 ->> 'org'), 0)
         ) WHERE true`;
  return `${source} ${limits.join(" ")} ORDER BY seq ${direction} LIMIT ${SCAN}`;
}

function matching({ action, actor, outcome, since, until }: EventQuery): string {
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

/** How many characters of secrets one checkpoint seals, beside its last event: a resolve can name 500, and all is read at once. */
const SEALED_SIZE = 2_000_000;

/** Selects up to `limit` events that no checkpoint seals, oldest first ({@link EventRow}). */
export function selectUnsealed(db: D1Database, org: string, limit: number): D1PreparedStatement {
  return db
    .prepare(
      `SELECT * FROM (
         SELECT *, SUM(length(secrets)) OVER (ORDER BY seq ROWS UNBOUNDED PRECEDING) - length(secrets) AS size_before FROM (
           SELECT ${COLUMNS} FROM audit_events e
           WHERE e.org = ?1 AND e.seq > COALESCE((SELECT k.last_seq FROM audit_checkpoints k WHERE k.org = ?1 ORDER BY k.number DESC LIMIT 1), 0)
           ORDER BY e.seq LIMIT ?2
         )
       ) WHERE size_before < ${SEALED_SIZE} ORDER BY seq`,
    )
    .bind(org, limit);
}

/** Selects up to `limit` events from `first` on, oldest first ({@link EventRow}). */
export function selectStretch(db: D1Database, org: string, first: number, limit: number): D1PreparedStatement {
  return db.prepare(`SELECT ${COLUMNS} FROM audit_events e WHERE e.org = ? AND e.seq >= ? ORDER BY e.seq LIMIT ?`).bind(org, first, limit);
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
