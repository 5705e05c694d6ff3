import {
  CLEARED_VERSION_COLUMNS,
  INSERTED_VERSION_COLUMNS,
  SELECTED_VALUE,
  type SealedColumns,
  type ValueKind,
  type VersionIdentity,
} from "./version-columns.ts";

/** A version as it is first written: its ciphertext inline. */
export interface NewVersion extends VersionIdentity, SealedColumns {
  readonly ciphertext: string;
}

/** Inserts versions with their ciphertexts inline. */
export function insertVersions(db: D1Database, versions: readonly NewVersion[]): D1PreparedStatement {
  const values = INSERTED_VERSION_COLUMNS.map((column) => `j.value ->> '${column}'`).join(", ");
  return db.prepare(`INSERT INTO versions (${INSERTED_VERSION_COLUMNS.join(", ")}) SELECT ${values} FROM json_each(?) j`).bind(JSON.stringify(versions));
}

/** Some versions of a secret, both ends included. */
export interface VersionRange {
  readonly secret_id: string;
  readonly from: number;
  readonly to: number;
}

/** Of each kind of value the index of the versions that have one, and the column that the index goes by. */
const KEPT: { readonly [Kind in ValueKind]: readonly [index: string, column: string] } = {
  sealed: ["versions_live", "kv_key"],
  plaintext: ["versions_legacy", "legacy_plaintext"],
};

// Through the indexes of what is kept: a secret may have had any number of versions that are destroyed already.
const KEPT_IN_RANGES = Object.values(KEPT).map(
  ([index, column]) => `SELECT v.secret_id, v.version, v.kv_key FROM json_each(?1) j CROSS JOIN versions v INDEXED BY ${index}
    ON v.secret_id = j.value ->> 'secret_id' AND v.version BETWEEN j.value ->> 'from' AND j.value ->> 'to' AND v.${column} IS NOT NULL`,
);
const IN_RANGES = `FROM (${KEPT_IN_RANGES.join(" UNION ALL ")}) v`;
const CLEARED = CLEARED_VERSION_COLUMNS.map((column) => `${column} = NULL`).join(", ");

/** Destroys versions: their keys and ciphertexts go, what says that they were stays. The ciphertexts are noted for removal from KV. */
export function destroyVersions(db: D1Database, ranges: readonly VersionRange[], now: number): D1PreparedStatement[] {
  const parameter = JSON.stringify(ranges);
  return [
    db.prepare(`INSERT INTO kv_removals (kv_key, noted_at) SELECT v.kv_key, ?2 ${IN_RANGES} WHERE v.kv_key IS NOT NULL`).bind(parameter, now),
    db.prepare(`UPDATE versions SET ${CLEARED} WHERE (secret_id, version) IN (SELECT v.secret_id, v.version ${IN_RANGES})`).bind(parameter),
  ];
}

/** A version as lists show it. */
export type VersionRow = Pick<VersionIdentity, "version" | "created_at" | "created_by"> & { readonly kind: ValueKind | "destroyed" };

/** Selects up to `limit` versions of a secret below `before`, newest first ({@link VersionRow}). */
export function selectVersions(db: D1Database, secretId: string, before: number | undefined, limit: number): D1PreparedStatement {
  return db
    .prepare("SELECT version, created_at, created_by, kind FROM versions WHERE secret_id = ? AND version < ? ORDER BY version DESC LIMIT ?")
    .bind(secretId, before ?? Number.MAX_SAFE_INTEGER, limit);
}

/** Selects the stored value and the encoding of one version, unless it is destroyed ({@link StoredValue}). */
export function selectVersion(db: D1Database, secret: { readonly org: string; readonly id: string }, version: number): D1PreparedStatement {
  return db
    .prepare(
      `SELECT v.encoding, ${SELECTED_VALUE} FROM versions v JOIN secrets s ON s.id = v.secret_id
       WHERE s.org = ? AND v.secret_id = ? AND v.version = ? AND v.kind <> 'destroyed'`,
    )
    .bind(secret.org, secret.id, version);
}

/** Notes every ciphertext of secrets for removal from KV. */
export function noteRemovals(db: D1Database, secretIds: readonly string[], now: number): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO kv_removals (kv_key, noted_at)
       SELECT v.kv_key, ?2 FROM json_each(?1) j CROSS JOIN versions v ON v.secret_id = j.value AND v.kv_key IS NOT NULL`,
    )
    .bind(JSON.stringify(secretIds), now);
}

/** A version whose ciphertext is still inline. */
export interface InlineVersion {
  readonly secret_id: string;
  readonly version: number;
  readonly kv_key: string;
  readonly ciphertext: string;
}

/** Selects up to `limit` versions ({@link InlineVersion}) written before `before` whose KV copy is not known to be there, but for those in quarantine. */
export function selectNotInKv(db: D1Database, before: number, now: number, limit: number): D1PreparedStatement {
  return db
    .prepare(
      `SELECT secret_id, version, kv_key, ciphertext FROM versions
       WHERE ciphertext IS NOT NULL AND kv_put_at IS NULL AND created_at <= ? AND (retry_at IS NULL OR retry_at <= ?) ORDER BY created_at LIMIT ?`,
    )
    .bind(before, now, limit);
}

/** Selects up to `limit` versions ({@link InlineVersion}) whose KV copy was put before `before`. */
export function selectSettled(db: D1Database, before: number, limit: number): D1PreparedStatement {
  return db
    .prepare("SELECT secret_id, version, kv_key, ciphertext FROM versions WHERE ciphertext IS NOT NULL AND kv_put_at <= ? ORDER BY kv_put_at LIMIT ?")
    .bind(before, limit);
}

const THESE = "kv_key IN (SELECT value FROM json_each(?1)) AND ciphertext IS NOT NULL";

/** Records that the ciphertexts of versions are in KV since `now`. */
export function markInKv(db: D1Database, kvKeys: readonly string[], now: number): D1PreparedStatement {
  return db.prepare(`UPDATE versions SET kv_put_at = ?2, retry_at = NULL WHERE ${THESE} AND kv_put_at IS NULL`).bind(JSON.stringify(kvKeys), now);
}

/** Records that the KV copies of versions are not there after all, so that they are put again. */
export function markNotInKv(db: D1Database, kvKeys: readonly string[]): D1PreparedStatement {
  return db.prepare(`UPDATE versions SET kv_put_at = NULL WHERE ${THESE}`).bind(JSON.stringify(kvKeys));
}

/** Clears the inline copies of versions that are in KV. */
export function clearInline(db: D1Database, kvKeys: readonly string[]): D1PreparedStatement {
  return db.prepare(`UPDATE versions SET ciphertext = NULL WHERE ${THESE} AND kv_put_at IS NOT NULL`).bind(JSON.stringify(kvKeys));
}

/** Selects up to `limit` KV keys that were noted for removal before `before`. */
export function selectRemovals(db: D1Database, before: number, limit: number): D1PreparedStatement {
  return db.prepare("SELECT kv_key FROM kv_removals WHERE noted_at <= ? ORDER BY noted_at LIMIT ?").bind(before, limit);
}

/** Forgets KV keys that have been removed. */
export function forgetRemovals(db: D1Database, kvKeys: readonly string[]): D1PreparedStatement {
  return db.prepare("DELETE FROM kv_removals WHERE kv_key IN (SELECT value FROM json_each(?))").bind(JSON.stringify(kvKeys));
}

/** Puts KV keys that could not be removed at the end of the queue. */
export function postponeRemovals(db: D1Database, kvKeys: readonly string[], now: number): D1PreparedStatement {
  return db.prepare("UPDATE kv_removals SET noted_at = ?2 WHERE kv_key IN (SELECT value FROM json_each(?1))").bind(JSON.stringify(kvKeys), now);
}

/** Puts versions in quarantine until `retryAt` whose ciphertexts could not be put into KV, but for those that somebody else has put. */
export function quarantineUnput(db: D1Database, kvKeys: readonly string[], retryAt: number): D1PreparedStatement {
  return db.prepare(`UPDATE versions SET retry_at = ?2 WHERE ${THESE} AND kv_put_at IS NULL`).bind(JSON.stringify(kvKeys), retryAt);
}
