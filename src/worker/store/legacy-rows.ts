import type { StoredEncoding } from "../../contract/secret.ts";
import { type SealedColumns, VALUE_COLUMNS } from "./version-columns.ts";

/** A value that is still as another store had it, and what it will be bound to. */
export interface LegacyRow {
  readonly secret_id: string;
  readonly org: string;
  readonly scope: string;
  readonly name: string;
  readonly version: number;
  readonly encoding: StoredEncoding;
  readonly legacy_plaintext: string;
}

/** Longer than any value in either encoding: what is cut here is refused all the same, and a row of megabytes is not read. */
const CUT = 100_000;

/** Selects up to `limit` legacy values of secrets without a seal that are not in quarantine ({@link LegacyRow}). */
export function selectLegacy(db: D1Database, now: number, limit: number): D1PreparedStatement {
  return db
    .prepare(
      `SELECT v.secret_id, s.org, s.scope, s.name, v.version, v.encoding, substr(v.legacy_plaintext, 1, ${CUT}) AS legacy_plaintext FROM versions v JOIN secrets s ON s.id = v.secret_id
       WHERE v.legacy_plaintext IS NOT NULL AND s.seal IS NULL AND (v.retry_at IS NULL OR v.retry_at <= ?) LIMIT ?`,
    )
    .bind(now, limit);
}

/** Selects the current values of secrets that are still as another store had them ({@link LegacyRow}). */
export function selectLegacyOf(db: D1Database, ids: readonly string[]): D1PreparedStatement {
  return db
    .prepare(
      `SELECT v.secret_id, s.org, s.scope, s.name, v.version, v.encoding, substr(v.legacy_plaintext, 1, ${CUT}) AS legacy_plaintext FROM json_each(?) j
       CROSS JOIN secrets s ON s.id = j.value JOIN versions v ON v.secret_id = s.id AND v.version = s.version WHERE v.legacy_plaintext IS NOT NULL`,
    )
    .bind(JSON.stringify(ids));
}

/** A legacy value's envelope, to take its place. `was` is the plaintext that it encrypts. */
export interface EncryptedRow extends SealedColumns {
  readonly secret_id: string;
  readonly version: number;
  readonly was: string;
  readonly ciphertext: string;
}

// The plaintext goes with the rest: an envelope has no column of that name.
const REPLACED = VALUE_COLUMNS.map((column) => `${column} = j.value ->> '${column}'`).join(", ");

/** Puts envelopes in the place of legacy values that are still what they were; the scheduled run moves them to KV. */
export function replaceLegacy(db: D1Database, rows: readonly EncryptedRow[]): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE versions SET ${REPLACED}, retry_at = NULL FROM json_each(?) j
       WHERE versions.secret_id = j.value ->> 'secret_id' AND versions.version = j.value ->> 'version' AND versions.legacy_plaintext = j.value ->> 'was'`,
    )
    .bind(JSON.stringify(rows));
}

/** Puts those versions in quarantine until `retryAt` that are still as another store had them: they could not be encrypted. */
export function quarantineLegacy(
  db: D1Database,
  versions: readonly { readonly secret_id: string; readonly version: number }[],
  retryAt: number,
): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE versions SET retry_at = ?2 FROM json_each(?1) j
       WHERE versions.secret_id = j.value ->> 'secret_id' AND versions.version = j.value ->> 'version' AND versions.legacy_plaintext IS NOT NULL`,
    )
    .bind(JSON.stringify(versions), retryAt);
}
