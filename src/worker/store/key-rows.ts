/** How many versions are under a key of the keyring. */
export interface KeyUse {
  readonly key_id: string;
  readonly versions: number;
}

const OF_ORG = "AND v.secret_id IN (SELECT id FROM secrets WHERE org = ?1)";

/** Selects how many versions are under each key ({@link KeyUse}): those of one organization, or all for `null`. */
export function selectKeyUse(db: D1Database, org: string | null): D1PreparedStatement {
  return db
    .prepare(
      `SELECT v.key_id, COUNT(*) AS versions FROM versions v WHERE v.key_id IS NOT NULL AND ?1 IS ?1 ${org === null ? "" : OF_ORG} GROUP BY v.key_id ORDER BY v.key_id`,
    )
    .bind(org);
}

/** A version's wrapped data key. */
export interface WrappedRow {
  readonly secret_id: string;
  readonly version: number;
  readonly key_id: string;
  readonly wrapped_key: string;
}

/** Selects up to `limit` wrapped keys under one of `keyIds` that are not set aside: of one organization, or all for `null` ({@link WrappedRow}). */
export function selectWrapped(db: D1Database, keyIds: readonly string[], org: string | null, now: number, limit: number): D1PreparedStatement {
  return db
    .prepare(
      `SELECT v.secret_id, v.version, v.key_id, v.wrapped_key FROM versions v
       WHERE v.key_id IN (SELECT value FROM json_each(?2)) AND (v.retry_at IS NULL OR v.retry_at <= ?3) AND ?1 IS ?1 ${org === null ? "" : OF_ORG} LIMIT ?4`,
    )
    .bind(org, JSON.stringify(keyIds), now, limit);
}

/** A wrapped key, and what takes its place. */
export interface Rewrapped {
  readonly secret_id: string;
  readonly version: number;
  readonly was: string;
  readonly key_id: string;
  readonly wrapped_key: string;
}

/** Replaces wrapped keys that are still what they were. */
export function replaceWrapped(db: D1Database, rows: readonly Rewrapped[]): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE versions SET key_id = j.value ->> 'key_id', wrapped_key = j.value ->> 'wrapped_key', retry_at = NULL FROM json_each(?) j
       WHERE versions.secret_id = j.value ->> 'secret_id' AND versions.version = j.value ->> 'version' AND versions.wrapped_key = j.value ->> 'was'`,
    )
    .bind(JSON.stringify(rows));
}

/** Sets versions aside until `retryAt`: scheduled work failed on them, and must not stumble over them each time. */
export function setAside(db: D1Database, versions: readonly { readonly secret_id: string; readonly version: number }[], retryAt: number): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE versions SET retry_at = ?2 FROM json_each(?1) j WHERE versions.secret_id = j.value ->> 'secret_id' AND versions.version = j.value ->> 'version'`,
    )
    .bind(JSON.stringify(versions), retryAt);
}

/** What scheduled work has before it that does not get done by itself. */
export interface Backlog {
  /** Versions on which scheduled work failed and that wait for another try. */
  readonly set_aside: number;
  /** Values that are still as another store had them. */
  readonly legacy_plaintext: number;
}

/** Selects the {@link Backlog}. */
export function selectBacklog(db: D1Database): D1PreparedStatement {
  return db.prepare(
    `SELECT (SELECT COUNT(*) FROM versions WHERE retry_at IS NOT NULL) AS set_aside,
       (SELECT COUNT(*) FROM versions WHERE legacy_plaintext IS NOT NULL) AS legacy_plaintext`,
  );
}
