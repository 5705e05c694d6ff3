import { fairSelect } from "./fair-select.ts";
import type { Turn } from "./inline-ciphertexts.ts";
import { CHANGED_SECRET_COLUMNS, INSERTED_SECRET_COLUMNS, SECRET_COLUMNS, type SecretRow } from "./secret-columns.ts";
import { SELECTED_ENCODING, SELECTED_VALUE, type StoredValue } from "./version-columns.ts";

/** A secret with its current value. */
export type CurrentRow = SecretRow & StoredValue;

/** A secret without its value. */
export function secretRow(current: CurrentRow): SecretRow {
  return Object.fromEntries([...SECRET_COLUMNS, "encoding" as const, "kind" as const].map((column) => [column, current[column]])) as unknown as SecretRow;
}

/** Which secret of an organization: by its id, or by its scope and name. */
export type SecretKey = { readonly org: string } & ({ readonly id: string } | { readonly scope: string; readonly name: string });

// A secret whose current version somebody has taken away is still there, and not well.
const FROM = "FROM secrets s LEFT JOIN versions v ON v.secret_id = s.id AND v.version = s.version";
const COLUMNS = [...SECRET_COLUMNS.map((column) => `s.${column}`), SELECTED_ENCODING, "v.kind"].join(", ");

/** The secrets with the encoding of their current version, to be followed by a `WHERE` or a join. */
export const SELECT_SECRETS = `SELECT ${COLUMNS} ${FROM}`;

const SELECT_CURRENT = `SELECT ${COLUMNS}, ${SELECTED_VALUE} ${FROM}`;

/** Selects one secret, also one that was deleted and can come back ({@link SecretRow}). */
export function selectSecret(db: D1Database, key: SecretKey): D1PreparedStatement {
  return select(db, SELECT_SECRETS, key);
}

/** Selects one secret with its current value, also one that was deleted and can come back ({@link CurrentRow}). */
export function selectCurrent(db: D1Database, key: SecretKey): D1PreparedStatement {
  return select(db, SELECT_CURRENT, key);
}

function select(db: D1Database, sql: string, key: SecretKey): D1PreparedStatement {
  return "id" in key
    ? db.prepare(`${sql} WHERE s.org = ? AND s.id = ?`).bind(key.org, key.id)
    : db.prepare(`${sql} WHERE s.org = ? AND s.scope = ? AND s.name = ?`).bind(key.org, key.scope, key.name);
}

/** Selects the secrets of a scope that have one of these names, deleted ones too, with their current values ({@link CurrentRow}). */
export function selectCurrents(db: D1Database, org: string, scope: string, names: readonly string[]): D1PreparedStatement {
  return db.prepare(`${SELECT_CURRENT} WHERE s.org = ? AND s.scope = ? AND s.name IN (SELECT value FROM json_each(?))`).bind(org, scope, JSON.stringify(names));
}

/** Selects secrets by their ids, with their current values ({@link CurrentRow}). */
export function selectCurrentsById(db: D1Database, org: string, ids: readonly string[]): D1PreparedStatement {
  return db.prepare(`${SELECT_CURRENT} WHERE s.org = ? AND s.id IN (SELECT value FROM json_each(?))`).bind(org, JSON.stringify(ids));
}

/** Selects up to `limit` secrets of a scope, by name ({@link SecretRow}): those that are there, or also those that can come back. */
export function selectFirstSecrets(db: D1Database, org: string, scope: string, limit: number, which: "there" | "all"): D1PreparedStatement {
  const there = which === "there" ? "AND s.deleted_at IS NULL" : "";
  return db.prepare(`${SELECT_SECRETS} WHERE s.org = ? AND s.scope = ? ${there} ORDER BY s.name LIMIT ?`).bind(org, scope, limit);
}

/** Selects the secrets of a scope that have one of these names, deleted ones too ({@link SecretRow}). */
export function selectNamed(db: D1Database, org: string, scope: string, names: readonly string[]): D1PreparedStatement {
  return db.prepare(`${SELECT_SECRETS} WHERE s.org = ? AND s.scope = ? AND s.name IN (SELECT value FROM json_each(?))`).bind(org, scope, JSON.stringify(names));
}

/** Selects up to `limit` secrets of a scope that one of these revisions has deleted, and that are deleted still ({@link SecretRow}). */
export function selectDeletedIn(db: D1Database, org: string, scope: string, revisions: readonly number[], limit: number): D1PreparedStatement {
  return db
    .prepare(
      `${SELECT_SECRETS} WHERE s.org = ? AND s.scope = ? AND s.deleted_at IS NOT NULL
       AND s.deleted_revision IN (SELECT value FROM json_each(?)) ORDER BY s.name LIMIT ?`,
    )
    .bind(org, scope, JSON.stringify(revisions), limit);
}

/** SQL for what of the deleted secrets cannot come back any more at a time, which is the SQL of a parameter, but for what is being brought back in its scope's store. */
export const OVER = {
  table: "secrets",
  indexed: "deleted_at IS NOT NULL",
  due: (now: string) =>
    `deleted_until <= ${now} AND NOT EXISTS (SELECT 1 FROM integrity_failures f WHERE f.org = secrets.org AND f.table_name = 'secrets' AND f.row_key = json_array(secrets.id))
     AND NOT EXISTS (SELECT 1 FROM store_writes w WHERE w.org = secrets.org AND w.scope = secrets.scope AND w.name = secrets.name)`,
  order: "deleted_until",
} as const;

/** Selects up to `limit` deleted secrets that cannot come back any more, as `id`, but for those that are known not to be what was sealed, and what is being brought back. */
export function selectOver(db: D1Database, { now, turn }: Turn, limit: number): D1PreparedStatement {
  const waiting = { ...OVER, due: OVER.due("?1"), key: "id", columns: ["id"] };
  return db.prepare(fairSelect(waiting, { limit: "?2", turn: "?3" })).bind(now, limit, turn);
}

/** Selects secrets by their ids, of all organizations ({@link SecretRow}). */
export function selectSecretsById(db: D1Database, ids: readonly string[]): D1PreparedStatement {
  return db.prepare(`${SELECT_SECRETS} WHERE s.id IN (SELECT value FROM json_each(?))`).bind(JSON.stringify(ids));
}

/** Inserts secrets, but for those whose scope and name are taken. Follow it with {@link requireChanges}. */
export function insertSecrets(db: D1Database, rows: readonly SecretRow[]): D1PreparedStatement {
  const values = INSERTED_SECRET_COLUMNS.map((column) => `j.value ->> '${column}'`).join(", ");
  return db
    .prepare(`INSERT INTO secrets (${INSERTED_SECRET_COLUMNS.join(", ")}) SELECT ${values} FROM json_each(?) j WHERE true ON CONFLICT DO NOTHING`)
    .bind(JSON.stringify(rows));
}

/** With which revision of its scope a secret is deleted: that which the scope has by then. */
const DELETED_REVISION = `deleted_revision = IIF(j.value ->> 'deleted_at' IS NULL, NULL,
  COALESCE(secrets.deleted_revision, (SELECT r.revision FROM scope_revisions r WHERE r.org = secrets.org AND r.scope = secrets.scope)))`;

/** Updates those secrets that are still at the revision before the row's. Follow it with {@link requireChanges}. */
export function updateSecrets(db: D1Database, rows: readonly SecretRow[]): D1PreparedStatement {
  const assignments = [...CHANGED_SECRET_COLUMNS.map((column) => `${column} = j.value ->> '${column}'`), DELETED_REVISION].join(", ");
  return db
    .prepare(
      `UPDATE secrets SET ${assignments} FROM json_each(?) j
       WHERE secrets.id = j.value ->> 'id' AND secrets.org = j.value ->> 'org' AND secrets.revision = (j.value ->> 'revision') - 1`,
    )
    .bind(JSON.stringify(rows));
}

/** Counts up the revisions of secrets that are still at theirs. Follow it with {@link requireChanges}. */
export function touchSecrets(db: D1Database, secrets: readonly { readonly id: string; readonly revision: number }[]): D1PreparedStatement {
  return db
    .prepare("UPDATE secrets SET revision = revision + 1 WHERE (id, revision) IN (SELECT j.value ->> 'id', j.value ->> 'revision' FROM json_each(?) j)")
    .bind(JSON.stringify(secrets.map(({ id, revision }) => ({ id, revision }))));
}

/** Deletes secrets, and with them their versions. Begin with {@link requireRevisions}, and note their ciphertexts. */
export function deleteSecretRows(db: D1Database, ids: readonly string[]): D1PreparedStatement {
  return db.prepare("DELETE FROM secrets WHERE id IN (SELECT value FROM json_each(?))").bind(JSON.stringify(ids));
}

/** Aborts the batch with the guard `unchanged` unless the statement before it changed `rows` rows. */
export function requireChanges(db: D1Database, rows: number): D1PreparedStatement {
  return db.prepare("INSERT INTO guard (unchanged) SELECT 0 WHERE changes() <> ?").bind(rows);
}

/** Aborts the batch with the guard `unchanged` where nothing is there in a scope. */
export function requireAnyThere(db: D1Database, org: string, scope: string): D1PreparedStatement {
  return db
    .prepare("INSERT INTO guard (unchanged) SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM secrets WHERE org = ? AND scope = ? AND deleted_at IS NULL)")
    .bind(org, scope);
}

/** Aborts the batch with the guard `unchanged` unless every secret is still there at the row's revision, with its seal. */
export function requireRevisions(db: D1Database, rows: readonly Pick<SecretRow, "id" | "revision" | "seal">[]): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO guard (unchanged) SELECT 0 WHERE EXISTS (
         SELECT 1 FROM json_each(?) j WHERE NOT EXISTS (SELECT 1 FROM secrets s
           WHERE s.id = j.value ->> 'id' AND s.revision = j.value ->> 'revision' AND s.seal IS j.value ->> 'seal'))`,
    )
    .bind(JSON.stringify(rows.map(({ id, revision, seal }) => ({ id, revision, seal }))));
}
