import type { Encoding } from "../../contract/secret.ts";

/** A secret as D1 has it, with the encoding of its current version. */
export interface SecretRow {
  readonly id: string;
  readonly org: string;
  readonly scope: string;
  readonly name: string;
  readonly version: number;
  readonly revision: number;
  readonly description: string | null;
  /** A JSON object of strings. */
  readonly labels: string;
  readonly created_at: number;
  readonly created_by: string;
  readonly updated_at: number;
  readonly updated_by: string;
  readonly expires_at: number | null;
  readonly rotate_after_days: number | null;
  readonly rotated_at: number;
  readonly last_resolved_at: number | null;
  readonly encoding: Encoding;
}

/** Which secret of an organization: by its id, or by its scope and name. */
export type SecretKey = { readonly org: string } & ({ readonly id: string } | { readonly scope: string; readonly name: string });

const COLUMNS = `s.id, s.org, s.scope, s.name, s.version, s.revision, s.description, s.labels, s.created_at, s.created_by,
  s.updated_at, s.updated_by, s.expires_at, s.rotate_after_days, s.rotated_at, s.last_resolved_at, v.encoding`;

/** The secrets with the encoding of their current version, to be followed by a `WHERE`. */
export const SELECT_SECRETS = `SELECT ${COLUMNS} FROM secrets s JOIN versions v ON v.secret_id = s.id AND v.version = s.version`;

/** Where the value of a version is, and the key that opens it. */
export interface StoredValue {
  readonly key_id: string;
  readonly wrapped_key: string;
  /** The inline copy, or `null` once it is in KV for good. */
  readonly ciphertext: string | null;
  readonly kv_key: string;
}

const SELECT_SECRETS_WITH_VALUE = `SELECT ${COLUMNS}, v.key_id, v.wrapped_key, v.ciphertext, v.kv_key
  FROM secrets s JOIN versions v ON v.secret_id = s.id AND v.version = s.version`;

/** Selects one secret ({@link SecretRow}). */
export function selectSecret(db: D1Database, key: SecretKey): D1PreparedStatement {
  return select(db, SELECT_SECRETS, key);
}

/** Selects one secret with its current value ({@link SecretRow} and {@link StoredValue}). */
export function selectSecretWithValue(db: D1Database, key: SecretKey): D1PreparedStatement {
  return select(db, SELECT_SECRETS_WITH_VALUE, key);
}

function select(db: D1Database, sql: string, key: SecretKey): D1PreparedStatement {
  return "id" in key
    ? db.prepare(`${sql} WHERE s.org = ? AND s.id = ?`).bind(key.org, key.id)
    : db.prepare(`${sql} WHERE s.org = ? AND s.scope = ? AND s.name = ?`).bind(key.org, key.scope, key.name);
}

/** Inserts a secret; does nothing when its id, or its scope and name, is taken. Follow it with {@link requireChange}. */
export function insertSecret(db: D1Database, row: Omit<SecretRow, "encoding" | "last_resolved_at">): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO secrets (id, org, scope, name, version, revision, description, labels, created_at, created_by,
         updated_at, updated_by, expires_at, rotate_after_days, rotated_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    )
    .bind(
      row.id,
      row.org,
      row.scope,
      row.name,
      row.version,
      row.revision,
      row.description,
      row.labels,
      row.created_at,
      row.created_by,
      row.updated_at,
      row.updated_by,
      row.expires_at,
      row.rotate_after_days,
      row.rotated_at,
    );
}

/** Updates a secret that is still at the revision before `row.revision`. Follow it with {@link requireChange}. */
export function updateSecret(db: D1Database, row: Omit<SecretRow, "encoding" | "last_resolved_at">): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE secrets SET version = ?, revision = ?, description = ?, labels = ?, updated_at = ?, updated_by = ?,
         expires_at = ?, rotate_after_days = ?, rotated_at = ?
       WHERE id = ? AND org = ? AND revision = ?`,
    )
    .bind(
      row.version,
      row.revision,
      row.description,
      row.labels,
      row.updated_at,
      row.updated_by,
      row.expires_at,
      row.rotate_after_days,
      row.rotated_at,
      row.id,
      row.org,
      row.revision - 1,
    );
}

/** Deletes a secret that is still at `revision`, and with it its versions. Note its ciphertexts first, and follow it with {@link requireChange}. */
export function deleteSecretRow(db: D1Database, secret: { org: string; id: string; revision: number }): D1PreparedStatement {
  return db.prepare("DELETE FROM secrets WHERE id = ? AND org = ? AND revision = ?").bind(secret.id, secret.org, secret.revision);
}

/** Aborts the batch with the guard `unchanged` when the statement before it changed no row. */
export function requireChange(db: D1Database): D1PreparedStatement {
  return db.prepare("INSERT INTO guard (unchanged) SELECT 0 WHERE changes() = 0");
}
