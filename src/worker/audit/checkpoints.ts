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

/** Inserts a checkpoint. Of two runs that seal the same stretch at once the first one's stays. */
export function insertCheckpoint(db: D1Database, c: CheckpointRow): D1PreparedStatement {
  return db
    .prepare(
      "INSERT INTO audit_checkpoints (org, number, first_seq, last_seq, first_at, last_at, row_digests, jws) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(c.org, c.number, c.first_seq, c.last_seq, c.first_at, c.last_at, c.row_digests, c.jws);
}

/** What there is of an organization's log. */
export interface LogExtent {
  /** The last event, 0 where there is none. */
  readonly last: number;
  /** Events up to this one have been removed by retention. */
  readonly removed_to: number;
  /** The signed statement of that. */
  readonly retention: string | null;
}

/** Selects what there is of an organization's log ({@link LogExtent}). */
export function selectExtent(db: D1Database, org: string): D1PreparedStatement {
  return db
    .prepare(
      "SELECT COALESCE((SELECT MAX(seq) FROM audit_events WHERE org = ?1), 0) AS last, COALESCE((SELECT removed_to FROM audit_retention WHERE org = ?1), 0) AS removed_to, (SELECT jws FROM audit_retention WHERE org = ?1) AS retention",
    )
    .bind(org);
}

/** A stretch whose events are older than they are kept. */
export interface OldStretch {
  readonly org: string;
  readonly first_seq: number;
  readonly last_seq: number;
}

/** Selects up to `limit` sealed stretches that ended before `before` and are still there, but never the end of a log ({@link OldStretch}). */
export function selectOldStretches(db: D1Database, before: number, limit: number): D1PreparedStatement {
  return db
    .prepare(
      `WITH RECURSIVE orgs (org) AS (
         SELECT MIN(org) FROM audit_checkpoints
         UNION ALL
         SELECT (SELECT MIN(k.org) FROM audit_checkpoints k WHERE k.org > o.org) FROM orgs o WHERE o.org IS NOT NULL
       )
       SELECT k.org, k.first_seq, k.last_seq FROM orgs o CROSS JOIN audit_checkpoints k ON k.org = o.org AND k.last_at < ?1
       WHERE k.last_seq > COALESCE((SELECT r.removed_to FROM audit_retention r WHERE r.org = o.org), 0)
         AND k.last_seq < (SELECT MAX(e.seq) FROM audit_events e WHERE e.org = o.org)
       ORDER BY k.org, k.number LIMIT ?2`,
    )
    .bind(before, limit);
}

/** Removes the events of an old stretch, and records how far retention has come, without which nothing could be removed. */
export function removeStretch(db: D1Database, { org, last_seq }: OldStretch, jws: string): D1PreparedStatement[] {
  return [
    db
      .prepare(`INSERT INTO audit_retention (org, removed_to, jws) VALUES (?, ?, ?)
         ON CONFLICT (org) DO UPDATE SET removed_to = excluded.removed_to, jws = excluded.jws WHERE excluded.removed_to > removed_to`)
      .bind(org, last_seq, jws),
    db.prepare("DELETE FROM audit_by_secret WHERE org = ? AND seq <= ?").bind(org, last_seq),
    db.prepare("DELETE FROM audit_events WHERE org = ? AND seq <= ?").bind(org, last_seq),
  ];
}
