import { RETRY_AFTER } from "./marks.ts";

/** A log of which retention is to remove something, with its head. */
export interface OldLog {
  readonly org: string;
  readonly removed_to: number;
  readonly head: string;
  /** Whether what is due is in the archive, which comes before what is in D1. */
  readonly archived: 0 | 1;
}

/** Which logs are wanted: with something that ended before a time. */
export interface OldQuery {
  readonly before: number;
  readonly now: number;
}

/** The first stretch of a log whose events are still there. */
const FIRST = "(SELECT MIN(f.first_seq) FROM audit_checkpoints f WHERE f.org = h.org AND f.first_seq > h.removed_to)";
/** The last event of a log that is due in D1, and of one that is due in the archive. */
const LAST_DUE = `(
             SELECT MAX(d.last_seq) FROM audit_checkpoints d
             WHERE d.org = h.org AND d.last_at < ?1 AND d.last_seq < (SELECT MAX(l.seq) FROM audit_events l WHERE l.org = h.org))`;
const LAST_ARCHIVED = "(SELECT MAX(a.last_seq) FROM audit_archives a WHERE a.org = h.org AND a.archived_at IS NOT NULL AND a.last_at < ?1)";
const FIRST_ARCHIVED_AT = "(SELECT a.last_at FROM audit_archives a WHERE a.org = h.org AND a.archived_at IS NOT NULL ORDER BY a.first_number LIMIT 1)";
const NOT_DEFERRED = `(COALESCE(m.failed, 0) = 0 OR m.seen_at <= ?2 - ${RETRY_AFTER})`;

const oldLogs = (columns: string) => `SELECT ${columns} FROM audit_heads h
         CROSS JOIN audit_checkpoints k ON k.org = h.org AND k.first_seq = ${FIRST}
         LEFT JOIN audit_marks m ON m.job = 'retention' AND m.org = h.org
       WHERE NOT EXISTS (SELECT 1 FROM audit_archives a WHERE a.org = h.org AND a.archived_at IS NOT NULL)
         AND k.last_at < ?1 AND k.last_seq < (SELECT MAX(e.seq) FROM audit_events e WHERE e.org = h.org)
         AND EXISTS (SELECT 1 FROM audit_events e WHERE e.org = h.org AND e.action <> 'audit.retention' AND e.seq <= ${LAST_DUE})
         AND ${NOT_DEFERRED}`;

const oldArchivedLogs = (columns: string) => `SELECT ${columns} FROM audit_heads h LEFT JOIN audit_marks m ON m.job = 'retention' AND m.org = h.org
       WHERE ${FIRST_ARCHIVED_AT} < ?1
         AND EXISTS (SELECT 1 FROM audit_archives a WHERE a.org = h.org AND a.archived_at IS NOT NULL AND a.last_at < ?1 AND a.others > 0)
         AND ${NOT_DEFERRED}`;

const NEXT = "AND h.org NOT IN (SELECT value FROM json_each(?4)) ORDER BY COALESCE(m.seen_at, 0), h.org LIMIT ?3";

/**
 * Selects up to `limit` logs whose first stretch ended before a time and is not their end ({@link OldLog}), those first
 * that were not come to for longest. A log that is due for nothing but events of retention itself is left: each removal
 * makes one, and a log in which nothing else happens would never come to rest. It reads a few rows for each organization.
 *
 * @param except Organizations that are left out, as JSON.
 */
export function selectOldLogs(db: D1Database, { before, now }: OldQuery, except: string, limit: number): D1PreparedStatement {
  return db.prepare(`${oldLogs("h.org, h.removed_to, h.jws AS head, 0 AS archived")} ${NEXT}`).bind(before, now, limit, except);
}

/** The same of logs that are due for something in the archive, the end of none of which is there. */
export function selectOldArchivedLogs(db: D1Database, { before, now }: OldQuery, except: string, limit: number): D1PreparedStatement {
  return db.prepare(`${oldArchivedLogs("h.org, h.removed_to, h.jws AS head, 1 AS archived")} ${NEXT}`).bind(before, now, limit, except);
}

/** Selects how many events of such logs are due, and when the oldest of them ended (`WaitingEvents`). */
export function selectOldEvents(db: D1Database, { before, now }: OldQuery): D1PreparedStatement {
  const recent = oldLogs(`${LAST_DUE} - h.removed_to AS events, k.last_at AS since`);
  const archived = oldArchivedLogs(`${LAST_ARCHIVED} - h.removed_to AS events, ${FIRST_ARCHIVED_AT} AS since`);
  return db.prepare(`SELECT COALESCE(SUM(events), 0) AS events, MIN(since) AS since FROM (${recent} UNION ALL ${archived})`).bind(before, now);
}
