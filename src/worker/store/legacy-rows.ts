import type { Encoding } from "../../contract/secret.ts";

/** A value that is still as another store had it, and what it will be bound to. */
export interface LegacyRow {
  readonly secret_id: string;
  readonly org: string;
  readonly scope: string;
  readonly name: string;
  readonly version: number;
  readonly encoding: Encoding;
  readonly legacy_plaintext: string;
}

/** Selects up to `limit` legacy values that are not set aside ({@link LegacyRow}). */
export function selectLegacy(db: D1Database, now: number, limit: number): D1PreparedStatement {
  return db
    .prepare(
      `SELECT v.secret_id, s.org, s.scope, s.name, v.version, v.encoding, v.legacy_plaintext FROM versions v JOIN secrets s ON s.id = v.secret_id
       WHERE v.legacy_plaintext IS NOT NULL AND (v.retry_at IS NULL OR v.retry_at <= ?) LIMIT ?`,
    )
    .bind(now, limit);
}

/** A legacy value's envelope, to take its place. `was` is the plaintext that it encrypts. */
export interface EncryptedRow {
  readonly secret_id: string;
  readonly version: number;
  readonly was: string;
  readonly key_id: string;
  readonly wrapped_key: string;
  readonly ciphertext: string;
  readonly kv_key: string;
}

/** Puts envelopes in the place of legacy values that are still what they were; the scheduled run moves them to KV. */
export function replaceLegacy(db: D1Database, rows: readonly EncryptedRow[]): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE versions SET key_id = j.value ->> 'key_id', wrapped_key = j.value ->> 'wrapped_key', ciphertext = j.value ->> 'ciphertext',
         kv_key = j.value ->> 'kv_key', legacy_plaintext = NULL, retry_at = NULL FROM json_each(?) j
       WHERE versions.secret_id = j.value ->> 'secret_id' AND versions.version = j.value ->> 'version' AND versions.legacy_plaintext = j.value ->> 'was'`,
    )
    .bind(JSON.stringify(rows));
}
