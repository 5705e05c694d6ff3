import { SECRETS } from "./event-secrets.ts";

/** What names an archive, and the object in KV. */
export interface ArchiveName {
  readonly org: string;
  readonly first_number: number;
  readonly kv_key: string;
}

/** A stretch of a log that is in KV or on its way there, as D1 has it: what is sealed of it. Times are those of its events. */
export interface NewArchive extends ArchiveName {
  readonly last_number: number;
  readonly first_seq: number;
  readonly last_seq: number;
  readonly first_at: number;
  readonly last_at: number;
  /** How many of its events are not of retention itself. */
  readonly others: number;
  readonly created_at: number;
}

/** The same with the key of its object. */
export interface ArchiveRow extends NewArchive {
  readonly key_id: string;
  readonly wrapped_key: string;
  /** Since when the object is known to be in KV. */
  readonly kv_put_at: number | null;
  readonly seal: string | null;
}

/** The columns of an {@link ArchiveRow}, of the table `a`. */
export const ARCHIVE_COLUMNS =
  "a.org, a.first_number, a.last_number, a.first_seq, a.last_seq, a.first_at, a.last_at, a.others, a.kv_key, a.created_at, a.key_id, a.wrapped_key, a.kv_put_at, a.seal";

/** Notes an archive before its object is put, unless another run has. Follow it with a statement that requires its change. */
export function insertArchive(db: D1Database, row: ArchiveRow): D1PreparedStatement {
  const columns = ARCHIVE_COLUMNS.replaceAll("a.", "").split(", ");
  return db
    .prepare(
      `INSERT INTO audit_archives (${columns.join(", ")}) SELECT ${columns.map((column) => `?1 ->> '${column}'`).join(", ")}
       WHERE NOT EXISTS (SELECT 1 FROM audit_archives o WHERE o.org = ?1 ->> 'org' AND o.last_number >= ?1 ->> 'first_number')`,
    )
    .bind(JSON.stringify(row));
}

/** Records that the object of an archive is in KV. */
export function markArchivePut(db: D1Database, { org, first_number, kv_key }: ArchiveName, now: number): D1PreparedStatement {
  return db
    .prepare("UPDATE audit_archives SET kv_put_at = ?4 WHERE org = ?1 AND first_number = ?2 AND kv_key = ?3 AND kv_put_at IS NULL")
    .bind(org, first_number, kv_key, now);
}

/** Selects an archive by its first checkpoint ({@link ArchiveRow}). */
export function selectArchive(db: D1Database, org: string, number: number): D1PreparedStatement {
  return db.prepare(`SELECT ${ARCHIVE_COLUMNS} FROM audit_archives a WHERE a.org = ? AND a.first_number = ?`).bind(org, number);
}

/** Selects one of them, if it still is one ({@link ArchiveRow}). */
export function selectPendingArchive(db: D1Database, { org, first_number, kv_key }: ArchiveName): D1PreparedStatement {
  return db
    .prepare(`SELECT ${ARCHIVE_COLUMNS} FROM audit_archives a WHERE a.org = ? AND a.first_number = ? AND a.kv_key = ? AND a.archived_at IS NULL`)
    .bind(org, first_number, kv_key);
}

/**
 * Records that an archive takes the place of what is in D1, if its object is in KV and nothing before it is still here.
 * Follow it with a statement that requires its change.
 */
export function markArchived(db: D1Database, { org, first_number, kv_key }: ArchiveName, now: number): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE audit_archives SET archived_at = ?4 WHERE org = ?1 AND first_number = ?2 AND kv_key = ?3 AND archived_at IS NULL AND kv_put_at IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM audit_archives o WHERE o.org = ?1 AND o.first_number < ?2 AND o.archived_at IS NULL)`,
    )
    .bind(org, first_number, kv_key, now);
}

/** Records which secrets the events of an archive name, while they are still in D1. */
export function indexArchive(db: D1Database, { org, first_number, first_seq, last_seq }: NewArchive): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO audit_archive_secrets (org, secret_id, first_number)
       SELECT DISTINCT e.org, j.value ->> 'id', ?4 FROM audit_events e CROSS JOIN json_each(${SECRETS}) j
       WHERE e.org = ?1 AND e.seq BETWEEN ?2 AND ?3 AND j.value ->> 'id' IS NOT NULL`,
    )
    .bind(org, first_seq, last_seq, first_number);
}

/** Removes from D1 what an archive has, each sort in one statement. */
export function removeArchived(db: D1Database, { org, first_number, last_number, first_seq, last_seq }: NewArchive) {
  return {
    index: db.prepare("DELETE FROM audit_by_secret WHERE org = ? AND seq BETWEEN ? AND ?").bind(org, first_seq, last_seq),
    events: db.prepare("DELETE FROM audit_events WHERE org = ? AND seq BETWEEN ? AND ?").bind(org, first_seq, last_seq),
    checkpoints: db.prepare("DELETE FROM audit_checkpoints WHERE org = ? AND number BETWEEN ? AND ?").bind(org, first_number, last_number),
  };
}

/** Gives up the archives of a log that have not taken the place of anything, from a number on: D1 still has all of it. */
export function dropPending(db: D1Database, org: string, from: number, now: number): D1PreparedStatement[] {
  const these = "FROM audit_archives WHERE org = ?1 AND last_number >= ?2 AND archived_at IS NULL";
  return [
    db.prepare(`INSERT INTO kv_removals (kv_key, noted_at, org) SELECT kv_key, ?3, org ${these} ON CONFLICT DO NOTHING`).bind(org, from, now),
    db.prepare(`DELETE ${these}`).bind(org, from),
  ];
}

/** Which archives are wanted: on one side of an event, and, where one is given, only those that name a secret. */
export interface ArchiveQuery {
  readonly org: string;
  readonly secret_id: string | null;
  readonly beyond: number | null;
  readonly order: "newest first" | "oldest first";
}

/** Selects up to `limit` archives with events beyond one, from there on ({@link ArchiveRow}). */
export function selectArchives(db: D1Database, { org, secret_id, beyond, order }: ArchiveQuery, limit: number): D1PreparedStatement {
  const newest = order === "newest first";
  const from =
    secret_id === null
      ? "audit_archives a WHERE a.org = ?1 AND ?2 IS NULL"
      : "audit_archive_secrets s CROSS JOIN audit_archives a ON a.org = s.org AND a.first_number = s.first_number WHERE s.org = ?1 AND s.secret_id = ?2";
  const beyondIt = newest ? "a.first_seq < ?3" : "a.last_seq > ?3";
  return db
    .prepare(
      `SELECT ${ARCHIVE_COLUMNS} FROM ${from} AND ${beyondIt} AND a.archived_at IS NOT NULL ORDER BY ${secret_id === null ? "a" : "s"}.first_number ${newest ? "DESC" : "ASC"} LIMIT ?4`,
    )
    .bind(org, secret_id, beyond ?? (newest ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER), limit);
}

/** Selects up to `limit` archives with checkpoints after a number, in their order ({@link ArchiveRow}). */
export function selectArchivesAfter(db: D1Database, org: string, number: number, limit: number): D1PreparedStatement {
  return db
    .prepare(
      `SELECT ${ARCHIVE_COLUMNS} FROM audit_archives a
       WHERE a.org = ?1 AND a.archived_at IS NOT NULL
         AND a.first_number >= COALESCE((SELECT b.first_number FROM audit_archives b WHERE b.org = ?1 AND b.first_number <= ?2 + 1 ORDER BY b.first_number DESC LIMIT 1), 0)
         AND a.last_number > ?2
       ORDER BY a.first_number LIMIT ?3`,
    )
    .bind(org, number, limit);
}

/** Removes archives that the log's head says are removed. Their objects are noted for removal from KV at a later time. */
export function removeArchives(db: D1Database, org: string, to: number, secretIds: readonly string[], removeAt: number): D1PreparedStatement[] {
  const these = "FROM audit_archives WHERE org = ?1 AND last_seq <= ?2 AND archived_at IS NOT NULL";
  return [
    db
      .prepare(
        `DELETE FROM audit_archive_secrets WHERE org = ?1 AND secret_id IN (SELECT value FROM json_each(?3)) AND first_number IN (SELECT first_number ${these})`,
      )
      .bind(org, to, JSON.stringify(secretIds)),
    db.prepare(`INSERT INTO kv_removals (kv_key, noted_at, org) SELECT kv_key, ?3, org ${these}`).bind(org, to, removeAt),
    db.prepare(`DELETE ${these}`).bind(org, to),
  ];
}
