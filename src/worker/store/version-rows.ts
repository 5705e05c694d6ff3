import {
  CLEARED_VERSION_COLUMNS,
  INSERTED_VERSION_COLUMNS,
  SELECTED_ENCODING,
  SELECTED_VALUE,
  type SealedColumns,
  type ValueKind,
  type VersionIdentity,
} from "./version-columns.ts";

/** A version as it is first written: its ciphertext inline. */
export interface NewVersion extends VersionIdentity, SealedColumns {
  readonly ciphertext: string;
}

/** What of a new version is not as it was given. */
const COMPUTED: Readonly<Record<string, string>> = {
  encoding: "IIF(j.value ->> 'encoding' IN ('json', 'source'), 'utf8', j.value ->> 'encoding')",
  is_json: "j.value ->> 'encoding' = 'json'",
  is_source: "j.value ->> 'encoding' = 'source'",
  scope_revision: "(SELECT r.revision FROM secrets s JOIN scope_revisions r ON r.org = s.org AND r.scope = s.scope WHERE s.id = j.value ->> 'secret_id')",
};

/** Inserts versions with their ciphertexts inline, as of the revision that their scope has by then. */
export function insertVersions(db: D1Database, versions: readonly NewVersion[]): D1PreparedStatement {
  const values = INSERTED_VERSION_COLUMNS.map((column) => COMPUTED[column] ?? `j.value ->> '${column}'`).join(", ");
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
  ([index, column]) => `SELECT v.secret_id, v.version, v.kv_key, v.org FROM json_each(?1) j CROSS JOIN versions v INDEXED BY ${index}
    ON v.secret_id = j.value ->> 'secret_id' AND v.version BETWEEN j.value ->> 'from' AND j.value ->> 'to' AND v.${column} IS NOT NULL`,
);
const IN_RANGES = `FROM (${KEPT_IN_RANGES.join(" UNION ALL ")}) v`;
const CLEARED = CLEARED_VERSION_COLUMNS.map((column) => `${column} = NULL`).join(", ");

/** A version, by what it is of. */
export interface VersionKey {
  readonly secret_id: string;
  readonly version: number;
}

const KEPT_OF_SCOPE = Object.values(KEPT).map(
  ([index, column]) => `SELECT v.secret_id, v.version FROM secrets s INDEXED BY secrets_by_scope CROSS JOIN versions v INDEXED BY ${index}
    ON v.secret_id = s.id AND v.${column} IS NOT NULL WHERE s.org = ?1 AND s.scope = ?2 AND v.scope_revision IN (SELECT value FROM json_each(?3))`,
);

/** Selects up to `limit` versions of a scope's secrets that were written with one of these revisions and have their value still ({@link VersionKey}). */
export function selectWrittenWith(db: D1Database, org: string, scope: string, revisions: readonly number[], limit: number): D1PreparedStatement {
  return db.prepare(`${KEPT_OF_SCOPE.join(" UNION ALL ")} LIMIT ?4`).bind(org, scope, JSON.stringify(revisions), limit);
}

/** With which revision of its scope a value was written, and whether it is destroyed. */
export interface RevisionOfVersion extends VersionKey {
  readonly scope_revision: number;
  readonly created_at: number;
  readonly destroyed: 0 | 1;
}

/** Selects the newest versions of each of some secrets, up to `each` ({@link RevisionOfVersion}). */
export function selectNewestVersions(db: D1Database, secretIds: readonly string[], each: number): D1PreparedStatement {
  const fields = ["secret_id", "version", "scope_revision", "created_at", "destroyed"];
  return db
    .prepare(
      `SELECT ${fields.map((field, n) => `j.value ->> ${n} AS ${field}`).join(", ")} FROM json_each(?1) i CROSS JOIN json_each((
         SELECT json_group_array(json_array(secret_id, version, scope_revision, created_at, kind = 'destroyed')) FROM (
           SELECT * FROM versions v WHERE v.secret_id = i.value ORDER BY v.version DESC LIMIT ?2))) j`,
    )
    .bind(JSON.stringify(secretIds), each);
}

/** Destroys versions: their keys and ciphertexts go, what says that they were stays. The ciphertexts are noted for removal from KV, from a time on. */
export function destroyVersions(db: D1Database, ranges: readonly VersionRange[], removeAt: number): D1PreparedStatement[] {
  const parameter = JSON.stringify(ranges);
  return [
    db.prepare(`INSERT INTO kv_removals (kv_key, noted_at, org) SELECT v.kv_key, ?2, v.org ${IN_RANGES} WHERE v.kv_key IS NOT NULL`).bind(parameter, removeAt),
    db.prepare(`UPDATE versions SET ${CLEARED} WHERE (secret_id, version) IN (SELECT v.secret_id, v.version ${IN_RANGES})`).bind(parameter),
  ];
}

/** Selects which versions of ranges have their value still ({@link VersionKey}). */
export function selectKept(db: D1Database, ranges: readonly VersionRange[]): D1PreparedStatement {
  return db.prepare(`SELECT v.secret_id, v.version ${IN_RANGES}`).bind(JSON.stringify(ranges));
}

/** Selects of each secret its oldest version that is not destroyed, as ranges of that alone ({@link VersionRange}). */
export function selectOldestKept(db: D1Database, secretIds: readonly string[]): D1PreparedStatement {
  const all = secretIds.map((secret_id): VersionRange => ({ secret_id, from: 1, to: Number.MAX_SAFE_INTEGER }));
  return db.prepare(`SELECT v.secret_id, MIN(v.version) AS "from", MIN(v.version) AS "to" ${IN_RANGES} GROUP BY v.secret_id`).bind(JSON.stringify(all));
}

/** A version as lists show it. */
export type VersionRow = Pick<VersionIdentity, "version" | "created_at" | "created_by"> & {
  readonly kind: ValueKind | "destroyed";
  /** Whether it has its value from a store. */
  readonly is_source: 0 | 1;
};

/** Selects up to `limit` versions of a secret below `before`, newest first ({@link VersionRow}). */
export function selectVersions(db: D1Database, secretId: string, before: number | undefined, limit: number): D1PreparedStatement {
  return db
    .prepare("SELECT version, created_at, created_by, kind, is_source FROM versions WHERE secret_id = ? AND version < ? ORDER BY version DESC LIMIT ?")
    .bind(secretId, before ?? Number.MAX_SAFE_INTEGER, limit);
}

/** Selects the stored value and the encoding of one version, unless it is destroyed ({@link StoredValue}). */
export function selectVersion(db: D1Database, secret: { readonly org: string; readonly id: string }, version: number): D1PreparedStatement {
  return db
    .prepare(
      `SELECT ${SELECTED_ENCODING}, ${SELECTED_VALUE} FROM versions v JOIN secrets s ON s.id = v.secret_id
       WHERE s.org = ? AND v.secret_id = ? AND v.version = ? AND v.kind <> 'destroyed'`,
    )
    .bind(secret.org, secret.id, version);
}

/** Selects, of some versions of a secret, where those have their value from that have it from a store, and are not destroyed ({@link StoredValue}). */
export function selectSourcedVersions(db: D1Database, secret: { readonly org: string; readonly id: string }, versions: readonly number[]): D1PreparedStatement {
  return db
    .prepare(
      `SELECT v.version, ${SELECTED_VALUE} FROM json_each(?3) j JOIN versions v ON v.secret_id = ?2 AND v.version = j.value JOIN secrets s ON s.id = v.secret_id
       WHERE s.org = ?1 AND v.is_source AND v.kind <> 'destroyed'`,
    )
    .bind(secret.org, secret.id, JSON.stringify(versions));
}

/** Notes every ciphertext of secrets for removal from KV, from a time on. */
export function noteRemovals(db: D1Database, secretIds: readonly string[], removeAt: number): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO kv_removals (kv_key, noted_at, org)
       SELECT v.kv_key, ?2, v.org FROM json_each(?1) j CROSS JOIN versions v ON v.secret_id = j.value AND v.kv_key IS NOT NULL`,
    )
    .bind(JSON.stringify(secretIds), removeAt);
}
