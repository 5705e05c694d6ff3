import { ARCHIVE_COLUMNS } from "./archives.ts";
import { RETRY_AFTER } from "./marks.ts";

const DAY = 86_400_000;
/** How many events of one organization one object has, beside its last stretch: a day of five events a minute. */
export const ARCHIVED_EVENTS = 7_500;

/** A log of which something is due for the archive: checkpoints from `from` up to `to`, or less. */
export interface DueLog {
  readonly org: string;
  readonly head: string;
  readonly from: number;
  readonly to: number;
  /** The last checkpoint of the log, which stays. */
  readonly last: number;
  /** Up to which event the digest has come, which needs them in D1. */
  readonly digested: number;
}

/** Which logs are due: with so much that ended before a time. */
export interface DueQuery {
  readonly before: number;
  readonly now: number;
}

/**
 * Selects up to `limit` logs with a day of sealed events, or at least {@link ARCHIVED_EVENTS} of them, that ended before `before` and are
 * in no archive yet ({@link DueLog}), those first that were not come to for longest. It reads a few rows for each organization.
 *
 * @param query.except Organizations that are left out, as JSON.
 */
export function selectDueLogs(db: D1Database, { before, now, except }: DueQuery & { readonly except: string }, limit: number): D1PreparedStatement {
  const columns = `l.org, l.head, k.number AS "from", ${lastUpTo("number", `MIN(?1, k.last_at + ${DAY})`)} AS "to", l.last, s.seq AS digested`;
  return db
    .prepare(`${dueLogs(columns)} AND l.org NOT IN (SELECT value FROM json_each(?5)) ORDER BY COALESCE(m.seen_at, 0), l.org LIMIT ?4`)
    .bind(before, ARCHIVED_EVENTS, now, limit, except);
}

/** Selects how many events are due so, up to now, and since when the oldest are (`WaitingEvents`). */
export function selectDueEvents(db: D1Database, { before, now }: DueQuery): D1PreparedStatement {
  return db
    .prepare(dueLogs(`COALESCE(SUM(${lastUpTo("last_seq", "?1")} - k.first_seq + 1), 0) AS events, MIN(k.last_at) AS since`))
    .bind(before, ARCHIVED_EVENTS, now);
}

const lastUpTo = (column: string, at: string) =>
  `(SELECT d.${column} FROM audit_checkpoints d WHERE d.org = l.org AND d.last_at <= ${at} ORDER BY d.last_at DESC LIMIT 1)`;

function dueLogs(columns: string): string {
  return `WITH logs AS (
         SELECT h.org, h.jws AS head, (SELECT MAX(e.number) FROM audit_checkpoints e WHERE e.org = h.org) AS last,
           MAX(h.removed_to, COALESCE((SELECT a.last_seq FROM audit_archives a WHERE a.org = h.org ORDER BY a.first_number DESC LIMIT 1), 0)) AS done
         FROM audit_heads h
       )
       SELECT ${columns}
       FROM logs l
         CROSS JOIN audit_checkpoints k ON k.org = l.org AND k.first_seq = (SELECT MIN(f.first_seq) FROM audit_checkpoints f WHERE f.org = l.org AND f.first_seq > l.done)
         CROSS JOIN audit_marks s ON s.job = 'secrets' AND s.org = l.org
         LEFT JOIN audit_marks m ON m.job = 'archive' AND m.org = l.org
       WHERE k.last_at < ?1 AND k.number < l.last AND k.last_seq <= s.seq
         AND (k.last_at < ?1 - ${DAY} OR ${lastUpTo("last_seq", "?1")} - k.first_seq + 1 >= ?2)
         AND (COALESCE(m.failed, 0) = 0 OR m.seen_at <= ?3 - ${RETRY_AFTER})`;
}

const MINUTE = 60_000;
/** KV needs up to a minute to be the same everywhere, and a run lasts less than two; what D1 has stays for longer than both, in milliseconds. */
const SETTLE_AFTER = 6 * MINUTE;
/** Longer than any run lasts that could still put it, in milliseconds. */
const UNPUT_AFTER = 20 * MINUTE;
/** SQL for when an archive `a` is to be read back. */
const SETTLES_AT = `COALESCE(a.kv_put_at + ${SETTLE_AFTER}, a.created_at + ${UNPUT_AFTER})`;

/** SQL for a common table of the organizations with archives whose checkpoints and events are still in D1. */
const PENDING_ORGS = `pending (org) AS (
         SELECT MIN(org) FROM audit_archives WHERE archived_at IS NULL
         UNION ALL
         SELECT (SELECT MIN(a.org) FROM audit_archives a WHERE a.archived_at IS NULL AND a.org > o.org) FROM pending o WHERE o.org IS NOT NULL
       )`;

/**
 * Selects of up to `limit` logs the first archive whose checkpoints and events are still in D1 ({@link ArchiveRow}), if it
 * is due: those logs first that were not come to for longest.
 *
 * @param except Organizations that are left out, as JSON.
 */
export function selectPendingArchives(db: D1Database, now: number, except: string, limit: number): D1PreparedStatement {
  return db
    .prepare(
      `WITH RECURSIVE ${PENDING_ORGS}
       SELECT ${ARCHIVE_COLUMNS} FROM pending o
         CROSS JOIN audit_archives a ON a.org = o.org AND a.first_number = (SELECT MIN(f.first_number) FROM audit_archives f WHERE f.org = o.org AND f.archived_at IS NULL)
         LEFT JOIN audit_marks m ON m.job = 'archive' AND m.org = a.org
       WHERE ${SETTLES_AT} <= ?1 AND (COALESCE(m.failed, 0) = 0 OR m.seen_at <= ?1 - ${RETRY_AFTER}) AND a.org NOT IN (SELECT value FROM json_each(?2))
       ORDER BY COALESCE(m.seen_at, 0), a.created_at LIMIT ?3`,
    )
    .bind(now, except, limit);
}

/** Selects how many events are in archives that are due so, and since when the oldest are (`WaitingEvents`). */
export function selectPendingEvents(db: D1Database, now: number): D1PreparedStatement {
  return db
    .prepare(
      `SELECT COALESCE(SUM(a.last_seq - a.first_seq + 1), 0) AS events, MIN(${SETTLES_AT}) AS since FROM audit_archives a WHERE a.archived_at IS NULL AND ${SETTLES_AT} <= ?`,
    )
    .bind(now);
}
