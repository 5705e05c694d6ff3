/** The wrapped data key of an archived part of an audit log. */
export interface WrappedArchive {
  readonly org: string;
  readonly first_number: number;
  readonly key_id: string;
  readonly wrapped_key: string;
}

/** Selects up to `limit` of them under one of `keyIds` that are not in quarantine: of one organization, or all for `null` ({@link WrappedArchive}). */
export function selectWrappedArchives(db: D1Database, keyIds: readonly string[], org: string | null, now: number, limit: number): D1PreparedStatement {
  return db
    .prepare(
      `SELECT a.org, a.first_number, a.key_id, a.wrapped_key FROM audit_archives a
       WHERE a.key_id IN (SELECT value FROM json_each(?2)) AND (?1 IS NULL OR a.org = ?1) AND (a.retry_at IS NULL OR a.retry_at <= ?3) LIMIT ?4`,
    )
    .bind(org, JSON.stringify(keyIds), now, limit);
}

/** What takes the place of a wrapped key; `retry_at` for one that could not be unwrapped. */
export interface RewrappedArchive extends WrappedArchive {
  readonly was: string;
  readonly retry_at: number | null;
}

/** Replaces wrapped keys that are still what they were, or puts them in quarantine. */
export function replaceWrappedArchives(db: D1Database, rows: readonly RewrappedArchive[]): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE audit_archives SET key_id = j.value ->> 'key_id', wrapped_key = j.value ->> 'wrapped_key', retry_at = j.value ->> 'retry_at' FROM json_each(?) j
       WHERE audit_archives.org = j.value ->> 'org' AND audit_archives.first_number = j.value ->> 'first_number' AND audit_archives.wrapped_key = j.value ->> 'was'`,
    )
    .bind(JSON.stringify(rows));
}
