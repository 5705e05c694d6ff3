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

/** Where the value of a version is, and the key that opens it. */
export interface SealedValue {
  readonly key_id: string;
  readonly wrapped_key: string;
  /** The inline copy, or `null` once it is in KV for good. */
  readonly ciphertext: string | null;
  readonly kv_key: string;
  readonly legacy_plaintext: null;
}

/** A value that is still as another store had it. */
export interface LegacyValue {
  readonly legacy_plaintext: string;
}

/** A value as D1 has it. */
export type StoredValue = SealedValue | LegacyValue;

/** The columns of a {@link StoredValue} in the table `v`. */
export const VALUE_COLUMNS = "v.key_id, v.wrapped_key, v.ciphertext, v.kv_key, v.legacy_plaintext";

/** A secret with its current value. */
export type CurrentRow = SecretRow & StoredValue;

/** A secret without its value. */
export function secretRow(current: CurrentRow): SecretRow {
  const { id, org, scope, name, version, revision, description, labels, created_at, created_by, encoding } = current;
  const { updated_at, updated_by, expires_at, rotate_after_days, rotated_at, last_resolved_at } = current;
  const dates = { created_at, updated_at, expires_at, rotate_after_days, rotated_at, last_resolved_at };
  return { id, org, scope, name, version, revision, description, labels, ...dates, created_by, updated_by, encoding };
}

/** Which secret of an organization: by its id, or by its scope and name. */
export type SecretKey = { readonly org: string } & ({ readonly id: string } | { readonly scope: string; readonly name: string });

const COLUMNS = `s.id, s.org, s.scope, s.name, s.version, s.revision, s.description, s.labels, s.created_at, s.created_by,
  s.updated_at, s.updated_by, s.expires_at, s.rotate_after_days, s.rotated_at, s.last_resolved_at, v.encoding`;

const FROM = "FROM secrets s JOIN versions v ON v.secret_id = s.id AND v.version = s.version";

/** The secrets with the encoding of their current version, to be followed by a `WHERE` or a join. */
export const SELECT_SECRETS = `SELECT ${COLUMNS} ${FROM}`;

const SELECT_CURRENT = `SELECT ${COLUMNS}, ${VALUE_COLUMNS} ${FROM}`;

/** Selects one secret ({@link SecretRow}). */
export function selectSecret(db: D1Database, key: SecretKey): D1PreparedStatement {
  return select(db, SELECT_SECRETS, key);
}

/** Selects one secret with its current value ({@link CurrentRow}). */
export function selectCurrent(db: D1Database, key: SecretKey): D1PreparedStatement {
  return select(db, SELECT_CURRENT, key);
}

function select(db: D1Database, sql: string, key: SecretKey): D1PreparedStatement {
  return "id" in key
    ? db.prepare(`${sql} WHERE s.org = ? AND s.id = ?`).bind(key.org, key.id)
    : db.prepare(`${sql} WHERE s.org = ? AND s.scope = ? AND s.name = ?`).bind(key.org, key.scope, key.name);
}

/** Selects the secrets of a scope that have one of these names, with their current values ({@link CurrentRow}). */
export function selectCurrents(db: D1Database, org: string, scope: string, names: readonly string[]): D1PreparedStatement {
  return db.prepare(`${SELECT_CURRENT} WHERE s.org = ? AND s.scope = ? AND s.name IN (SELECT value FROM json_each(?))`).bind(org, scope, JSON.stringify(names));
}

const WRITTEN = [
  ...["id", "org", "scope", "name", "version", "revision", "description", "labels", "created_at", "created_by"],
  ...["updated_at", "updated_by", "expires_at", "rotate_after_days", "rotated_at"],
] as const satisfies readonly (keyof SecretRow)[];

const CHANGED = ["version", "revision", "description", "labels", "updated_at", "updated_by", "expires_at", "rotate_after_days", "rotated_at"] as const;

/** Inserts secrets, but for those whose scope and name are taken. Follow it with {@link requireChanges}. */
export function insertSecrets(db: D1Database, rows: readonly SecretRow[]): D1PreparedStatement {
  const values = WRITTEN.map((column) => `j.value ->> '${column}'`).join(", ");
  return db
    .prepare(`INSERT INTO secrets (${WRITTEN.join(", ")}) SELECT ${values} FROM json_each(?) j WHERE true ON CONFLICT DO NOTHING`)
    .bind(JSON.stringify(rows));
}

/** Updates those secrets that are still at the revision before the row's. Follow it with {@link requireChanges}. */
export function updateSecrets(db: D1Database, rows: readonly SecretRow[]): D1PreparedStatement {
  const assignments = CHANGED.map((column) => `${column} = j.value ->> '${column}'`).join(", ");
  return db
    .prepare(
      `UPDATE secrets SET ${assignments} FROM json_each(?) j
       WHERE secrets.id = j.value ->> 'id' AND secrets.org = j.value ->> 'org' AND secrets.revision = (j.value ->> 'revision') - 1`,
    )
    .bind(JSON.stringify(rows));
}

/** Counts up the revision of a secret that is still at `revision`. Follow it with {@link requireChanges}. */
export function touchSecret(db: D1Database, secret: { readonly id: string; readonly revision: number }): D1PreparedStatement {
  return db.prepare("UPDATE secrets SET revision = revision + 1 WHERE id = ? AND revision = ?").bind(secret.id, secret.revision);
}

/** Deletes a secret that is still at `revision`, and with it its versions. Note its ciphertexts first, and follow it with {@link requireChanges}. */
export function deleteSecretRow(db: D1Database, secret: { readonly org: string; readonly id: string; readonly revision: number }): D1PreparedStatement {
  return db.prepare("DELETE FROM secrets WHERE id = ? AND org = ? AND revision = ?").bind(secret.id, secret.org, secret.revision);
}

/** Aborts the batch with the guard `unchanged` unless the statement before it changed `rows` rows. */
export function requireChanges(db: D1Database, rows: number): D1PreparedStatement {
  return db.prepare("INSERT INTO guard (unchanged) SELECT 0 WHERE changes() <> ?").bind(rows);
}

/** Aborts the batch with the guard `unchanged` unless every secret is still there at the row's revision. */
export function requireRevisions(db: D1Database, rows: readonly Pick<SecretRow, "id" | "revision">[]): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO guard (unchanged) SELECT 0 WHERE EXISTS (
         SELECT 1 FROM json_each(?) j WHERE NOT EXISTS (SELECT 1 FROM secrets s WHERE s.id = j.value ->> 'id' AND s.revision = j.value ->> 'revision'))`,
    )
    .bind(JSON.stringify(rows.map(({ id, revision }) => ({ id, revision }))));
}
