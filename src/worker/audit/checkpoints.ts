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

/** What the next checkpoint of a log goes on from. */
export type LastCheckpoint = Pick<CheckpointRow, "org" | "number" | "last_seq" | "jws">;

/** Selects the last checkpoint of each of some organizations, where there is one ({@link LastCheckpoint}). */
export function selectLastCheckpoints(db: D1Database, orgs: readonly string[]): D1PreparedStatement {
  return db
    .prepare(
      `SELECT k.org, k.number, k.last_seq, k.jws FROM json_each(?) j CROSS JOIN audit_checkpoints k ON k.org = j.value
         AND k.number = (SELECT MAX(l.number) FROM audit_checkpoints l WHERE l.org = j.value)`,
    )
    .bind(JSON.stringify(orgs));
}

/** Selects up to `limit` checkpoints after a number, in their order ({@link CheckpointRow}). */
export function selectCheckpoints(db: D1Database, org: string, after: number, limit: number): D1PreparedStatement {
  return db.prepare("SELECT * FROM audit_checkpoints WHERE org = ? AND number > ? ORDER BY number LIMIT ?").bind(org, after, limit);
}

const COLUMNS = ["org", "number", "first_seq", "last_seq", "first_at", "last_at", "row_digests", "jws"] as const satisfies readonly (keyof CheckpointRow)[];

/** Inserts checkpoints, of any number of organizations. */
export function insertCheckpoints(db: D1Database, rows: readonly CheckpointRow[]): D1PreparedStatement {
  const values = COLUMNS.map((column) => `value ->> '${column}'`).join(", ");
  return db.prepare(`INSERT INTO audit_checkpoints (${COLUMNS.join(", ")}) SELECT ${values} FROM json_each(?)`).bind(JSON.stringify(rows));
}

/** What there is of an organization's log. */
export interface LogExtent {
  /** The first event that there is, in D1 or in the archive, `null` where there is none. */
  readonly first: number | null;
  /** The last event, 0 where there is none. */
  readonly last: number;
  /** The last checkpoint in D1, 0 where there is none. */
  readonly number: number;
  /** The signed statement of the log's head. */
  readonly head: string | null;
}

/** Selects what there is of an organization's log ({@link LogExtent}). */
export function selectExtent(db: D1Database, org: string): D1PreparedStatement {
  return db
    .prepare(
      `SELECT (
           SELECT MIN(seq) FROM (
             SELECT * FROM (SELECT seq FROM audit_events WHERE org = ?1 ORDER BY seq LIMIT 1)
             UNION ALL SELECT * FROM (SELECT first_seq FROM audit_archives WHERE org = ?1 AND archived_at IS NOT NULL ORDER BY first_number LIMIT 1))
         ) AS first, COALESCE((SELECT MAX(seq) FROM audit_events WHERE org = ?1), 0) AS last,
         COALESCE((SELECT MAX(number) FROM audit_checkpoints WHERE org = ?1), 0) AS number, (SELECT jws FROM audit_heads WHERE org = ?1) AS head`,
    )
    .bind(org);
}

/** Selects up to `limit` stretches after an event that ended before `before`, but never the end of a log ({@link CheckpointRow}). */
export function selectOldStretches(db: D1Database, org: string, removedTo: number, before: number, limit: number): D1PreparedStatement {
  return db
    .prepare(
      `SELECT k.* FROM audit_checkpoints k WHERE k.org = ?1 AND k.first_seq > ?2 AND k.last_at < ?3
         AND k.last_seq < (SELECT MAX(e.seq) FROM audit_events e WHERE e.org = ?1) ORDER BY k.first_seq LIMIT ?4`,
    )
    .bind(org, removedTo, before, limit);
}

/** Removes the checkpoints of a log up to one whose events its head says are removed, without which nothing could be. */
export function removeCheckpoints(db: D1Database, org: string, to: number): D1PreparedStatement {
  return db.prepare("DELETE FROM audit_checkpoints WHERE org = ? AND number <= ?").bind(org, to);
}

/** Removes the events likewise, and then what the index says of them. */
export function removeEvents(db: D1Database, org: string, to: number): [events: D1PreparedStatement, index: D1PreparedStatement] {
  return [
    db.prepare("DELETE FROM audit_events WHERE org = ? AND seq <= ?").bind(org, to),
    db.prepare("DELETE FROM audit_by_secret WHERE org = ? AND seq <= ?").bind(org, to),
  ];
}
