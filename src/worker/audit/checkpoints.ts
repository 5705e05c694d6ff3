import { RETRY_AFTER } from "./marks.ts";

/** A sealed stretch of an organization's log, as D1 has it. `row_digests` is JSON. */
export interface CheckpointRow {
  readonly org: string;
  readonly number: number;
  readonly first_seq: number;
  readonly last_seq: number;
  readonly first_at: number;
  readonly last_at: number;
  readonly row_digests: string;
  readonly jws: string;
}

/** Selects the last checkpoint of an organization ({@link CheckpointRow}). */
export function selectLastCheckpoint(db: D1Database, org: string): D1PreparedStatement {
  return db.prepare("SELECT * FROM audit_checkpoints WHERE org = ? ORDER BY number DESC LIMIT 1").bind(org);
}

/** Selects up to `limit` checkpoints after a number, in their order ({@link CheckpointRow}). */
export function selectCheckpoints(db: D1Database, org: string, after: number, limit: number): D1PreparedStatement {
  return db.prepare("SELECT * FROM audit_checkpoints WHERE org = ? AND number > ? ORDER BY number LIMIT ?").bind(org, after, limit);
}

/** Inserts a checkpoint. */
export function insertCheckpoint(db: D1Database, c: CheckpointRow): D1PreparedStatement {
  return db
    .prepare("INSERT INTO audit_checkpoints (org, number, first_seq, last_seq, first_at, last_at, row_digests, jws) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
    .bind(c.org, c.number, c.first_seq, c.last_seq, c.first_at, c.last_at, c.row_digests, c.jws);
}

/** What there is of an organization's log. */
export interface LogExtent {
  /** The first event that there is, `null` where there is none. */
  readonly first: number | null;
  /** The last event, 0 where there is none. */
  readonly last: number;
  /** The signed statement of the log's head. */
  readonly head: string | null;
}

/** Selects what there is of an organization's log ({@link LogExtent}). */
export function selectExtent(db: D1Database, org: string): D1PreparedStatement {
  return db
    .prepare(
      `SELECT (SELECT MIN(seq) FROM audit_events WHERE org = ?1) AS first, COALESCE((SELECT MAX(seq) FROM audit_events WHERE org = ?1), 0) AS last,
         (SELECT jws FROM audit_heads WHERE org = ?1) AS head`,
    )
    .bind(org);
}

/** The first stretch of a log whose events are still there, with the log's head. */
export interface OldStretch extends CheckpointRow {
  readonly removed_to: number;
  readonly head: string;
}

/**
 * Selects the first stretch of up to `limit` logs where that ended before `before` ({@link OldStretch}), but never the
 * end of a log. It reads a few rows for each organization.
 */
export function selectOldStretches(db: D1Database, before: number, now: number, limit: number): D1PreparedStatement {
  return db
    .prepare(
      `SELECT k.*, h.removed_to, h.jws AS head FROM audit_heads h
         CROSS JOIN audit_checkpoints k ON k.org = h.org AND k.first_seq = h.removed_to + 1
         LEFT JOIN audit_marks m ON m.job = 'retention' AND m.org = h.org
       WHERE k.last_at < ?1 AND k.last_seq < (SELECT MAX(e.seq) FROM audit_events e WHERE e.org = h.org)
         AND (COALESCE(m.failed, 0) = 0 OR m.seen_at <= ?2 - ${RETRY_AFTER})
       ORDER BY COALESCE(m.seen_at, 0), h.org LIMIT ?3`,
    )
    .bind(before, now, limit);
}

/** Removes the events of a log up to one that its head says are removed, without which nothing could be. */
export function removeEvents(db: D1Database, org: string, to: number): D1PreparedStatement[] {
  return [
    db.prepare("DELETE FROM audit_by_secret WHERE org = ? AND seq <= ?").bind(org, to),
    db.prepare("DELETE FROM audit_events WHERE org = ? AND seq <= ?").bind(org, to),
  ];
}
