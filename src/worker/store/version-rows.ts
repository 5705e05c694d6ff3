import type { Encoding } from "../../contract/secret.ts";
import type { StoredValue } from "./secret-rows.ts";

/** A version as it is first written: its ciphertext inline. */
export interface NewVersion extends StoredValue {
  readonly secret_id: string;
  readonly version: number;
  readonly encoding: Encoding;
  readonly ciphertext: string;
  readonly created_at: number;
  readonly created_by: string;
}

/** Inserts a version with its ciphertext inline. */
export function insertVersion(db: D1Database, v: NewVersion): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO versions (secret_id, version, encoding, key_id, wrapped_key, ciphertext, kv_key, created_at, created_by)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .bind(v.secret_id, v.version, v.encoding, v.key_id, v.wrapped_key, v.ciphertext, v.kv_key, v.created_at, v.created_by);
}

/** Notes every ciphertext of a secret for removal from KV. */
export function noteRemovals(db: D1Database, secretId: string, now: number): D1PreparedStatement {
  return db.prepare("INSERT INTO kv_removals (kv_key, noted_at) SELECT kv_key, ? FROM versions WHERE secret_id = ? AND kv_key IS NOT NULL").bind(now, secretId);
}

/** A version whose ciphertext is still inline. */
export interface InlineVersion {
  readonly kv_key: string;
  readonly ciphertext: string;
}

/** Selects up to `limit` versions ({@link InlineVersion}) written before `before` whose KV copy is not known to be there. */
export function selectNotInKv(db: D1Database, before: number, limit: number): D1PreparedStatement {
  return db
    .prepare("SELECT kv_key, ciphertext FROM versions WHERE ciphertext IS NOT NULL AND kv_put_at IS NULL AND created_at <= ? ORDER BY created_at LIMIT ?")
    .bind(before, limit);
}

/** Selects up to `limit` versions ({@link InlineVersion}) whose KV copy was put before `before`. */
export function selectSettled(db: D1Database, before: number, limit: number): D1PreparedStatement {
  return db.prepare("SELECT kv_key, ciphertext FROM versions WHERE ciphertext IS NOT NULL AND kv_put_at <= ? ORDER BY kv_put_at LIMIT ?").bind(before, limit);
}

/** Records that the ciphertexts of versions are in KV since `now`. */
export function markInKv(db: D1Database, kvKeys: readonly string[], now: number): D1PreparedStatement {
  return db
    .prepare("UPDATE versions SET kv_put_at = ? WHERE kv_key IN (SELECT value FROM json_each(?)) AND ciphertext IS NOT NULL AND kv_put_at IS NULL")
    .bind(now, JSON.stringify(kvKeys));
}

/** Records that the KV copies of versions are not there after all, so that they are put again. */
export function markNotInKv(db: D1Database, kvKeys: readonly string[]): D1PreparedStatement {
  return db
    .prepare("UPDATE versions SET kv_put_at = NULL WHERE kv_key IN (SELECT value FROM json_each(?)) AND ciphertext IS NOT NULL")
    .bind(JSON.stringify(kvKeys));
}

/** Clears the inline copies of versions that are in KV. */
export function clearInline(db: D1Database, kvKeys: readonly string[]): D1PreparedStatement {
  return db
    .prepare("UPDATE versions SET ciphertext = NULL WHERE kv_key IN (SELECT value FROM json_each(?)) AND kv_put_at IS NOT NULL")
    .bind(JSON.stringify(kvKeys));
}

/** Selects up to `limit` KV keys that were noted for removal before `before`. */
export function selectRemovals(db: D1Database, before: number, limit: number): D1PreparedStatement {
  return db.prepare("SELECT kv_key FROM kv_removals WHERE noted_at <= ? ORDER BY noted_at LIMIT ?").bind(before, limit);
}

/** Forgets KV keys that have been removed. */
export function forgetRemovals(db: D1Database, kvKeys: readonly string[]): D1PreparedStatement {
  return db.prepare("DELETE FROM kv_removals WHERE kv_key IN (SELECT value FROM json_each(?))").bind(JSON.stringify(kvKeys));
}
