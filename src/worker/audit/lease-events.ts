import type { Action } from "../../contract/audit.ts";
import { EVENT_VERSION, type StoredLease } from "./insert-event.ts";

/** An event about a lease that is open already: of the same caller, about the same secrets. */
export interface LeaseEvent {
  readonly org: string;
  readonly actor: string;
  readonly token_id: string | null;
  /** Who issued the token. */
  readonly issuer: string | null;
  readonly action: Extract<Action, "secret.resolve.uses" | "lease.unsettled">;
  /** As JSON. */
  readonly secrets: string;
  /** That of the event which opened the lease. */
  readonly request_id: string;
  readonly ip: string | null;
  readonly user_agent: string | null;
  readonly lease: StoredLease;
}

/** How long the list of events of one statement is at the most, in characters: D1 takes 2 MB for a parameter. */
const LIST = 400_000;

/**
 * Inserts events about leases, of any number of organizations, each numbered without gaps within its own. That a lease is
 * unsettled is said once, whoever finds it at the same time; that one was never used, only of one that is open.
 */
export function insertLeaseEvents(db: D1Database, events: readonly LeaseEvent[], at: Date): D1PreparedStatement[] {
  return listsOf(events).map((list) =>
    db
      .prepare(
        `INSERT INTO audit_entries (org, seq, at, actor, token_id, issuer, action, outcome, secrets, target, request_id, ip, user_agent, version, lease)
       SELECT org, COALESCE((SELECT MAX(e.seq) FROM audit_events e WHERE e.org = j.org), 0) + place, ?2, actor, token_id, issuer, action, 'allowed', secrets, NULL, request_id, ip, user_agent, ${EVENT_VERSION}, lease
       FROM (
         SELECT value ->> 'org' AS org, ROW_NUMBER() OVER (PARTITION BY value ->> 'org' ORDER BY key) AS place, value ->> 'actor' AS actor, value ->> 'token_id' AS token_id, value ->> 'issuer' AS issuer,
           value ->> 'action' AS action, value ->> 'secrets' AS secrets, value ->> 'request_id' AS request_id, value ->> 'ip' AS ip,
           value ->> 'user_agent' AS user_agent, value ->> 'lease' AS lease
         FROM json_each(?1)
         WHERE value ->> '$.lease.uses' > 0 AND value ->> 'action' <> 'lease.unsettled'
           OR EXISTS (SELECT 1 FROM open_leases l WHERE l.org = value ->> 'org' AND l.id = value ->> '$.lease.id' AND (l.unsettled_at IS NULL OR value ->> 'action' <> 'lease.unsettled'))
       ) j ORDER BY org, place`,
      )
      .bind(`[${list.join(",")}]`, at.getTime()),
  );
}

/** The events as JSON, in lists that one statement takes. */
function listsOf(events: readonly LeaseEvent[]): string[][] {
  const lists: string[][] = [];
  let length = LIST;
  for (const event of events) {
    const text = JSON.stringify(event);
    if (length + text.length > LIST) {
      lists.push([]);
      length = 0;
    }
    lists.at(-1)?.push(text);
    length += text.length;
  }
  return lists;
}

/** With more secrets than this, or a longer list of them in bytes, counts of uses name none of them: the event that opened the lease does. */
const NAMED_SECRETS = 20;
const NAMED_BYTES = 2048;

/** What counts of uses name, of what the event that opened the lease does. Both are JSON. */
export function namedByUses(secrets: string): string {
  const few = new TextEncoder().encode(secrets).length <= NAMED_BYTES && (JSON.parse(secrets) as unknown[]).length <= NAMED_SECRETS;
  return few ? secrets : "[]";
}

/** A lease that ended without its last count. Of the event that opened it there may be nothing in D1 any more. */
export interface UnsettledRow {
  readonly org: string;
  readonly id: string;
  readonly max_uses: number;
  /** How many uses the log has. */
  readonly uses: number;
  readonly actor: string;
  readonly token_id: string | null;
  readonly issuer: string | null;
  readonly secrets: string;
  readonly request_id: string;
  readonly ip: string | null;
  readonly user_agent: string | null;
}

/** How long after its end a lease's last count may come, in milliseconds. */
const GRACE = 120_000;
/** SQL for whether a lease is without its last count at the time of the first parameter, and since when. */
const UNSETTLED_LEASE = { due: `unsettled_at IS NULL AND until <= ?1 - ${GRACE}`, since: `until + ${GRACE}` } as const;
/** Of how many times as many of the oldest each organization has its turn: the index has whose they are. */
const STRETCH = 100;

/**
 * Selects up to `limit` leases that ended long enough ago and whose last count is not in the log ({@link UnsettledRow}):
 * of each organization the oldest first, so that none waits for all of another one's.
 */
export function selectUnsettled(db: D1Database, now: number, limit: number): D1PreparedStatement {
  return db
    .prepare(
      `SELECT l.org, l.id, l.max_uses, l.uses, COALESCE(e.actor, 'keyhole:scheduled') AS actor, e.token_id, e.issuer,
         CASE WHEN json_array_length(e.secrets) BETWEEN 1 AND ${NAMED_SECRETS} AND length(CAST(e.secrets AS BLOB)) <= ${NAMED_BYTES} THEN e.secrets ELSE '[]' END AS secrets, COALESCE(e.request_id, l.id) AS request_id, e.ip, e.user_agent
       FROM (
         SELECT org, id FROM (SELECT org, id, until FROM open_leases WHERE ${UNSETTLED_LEASE.due} ORDER BY until LIMIT ?2 * ${STRETCH})
         ORDER BY ROW_NUMBER() OVER (PARTITION BY org ORDER BY until), until LIMIT ?2
       ) d CROSS JOIN open_leases l ON l.org = d.org AND l.id = d.id LEFT JOIN audit_events e ON e.org = l.org AND e.seq = l.seq`,
    )
    .bind(now, limit);
}

/** Selects how many leases are due so, and since when the oldest is, in milliseconds since 1970: `rows`, `since`. */
export function selectUnsettledCount(db: D1Database, now: number): D1PreparedStatement {
  const due = `FROM open_leases WHERE ${UNSETTLED_LEASE.due}`;
  return db
    .prepare(`SELECT (SELECT COUNT(*) FROM (SELECT 1 ${due} LIMIT 10001)) AS rows, (SELECT ${UNSETTLED_LEASE.since} ${due} ORDER BY until LIMIT 1) AS since`)
    .bind(now);
}

/** Forgets leases that the log said at `before` or earlier have lost their last count: nobody need be told of them any more. */
export function forgetUnsettled(db: D1Database, before: number): D1PreparedStatement {
  return db.prepare("DELETE FROM open_leases WHERE unsettled_at <= ?").bind(before);
}
