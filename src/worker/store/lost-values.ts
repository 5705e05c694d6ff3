import type { StoredEncoding } from "../../contract/secret.ts";
import { SELECTED_ENCODING } from "./version-columns.ts";

/** A version whose ciphertext is in KV alone. */
export interface StoredVersion {
  readonly secret_id: string;
  readonly version: number;
  readonly encoding: StoredEncoding;
  readonly key_id: string;
  readonly wrapped_key: string;
  readonly kv_key: string;
  readonly org: string;
  readonly scope: string;
  readonly name: string;
  /** Whether it is known to be lost. */
  readonly known: number;
}

/** What marks how far the look at values has come, beside the tables of rows. */
const MARK = "versions";

const COLUMNS = `v.secret_id, v.version, ${SELECTED_ENCODING}, v.key_id, v.wrapped_key, v.kv_key, s.org, s.scope, s.name,
  EXISTS (SELECT 1 FROM lost_values l WHERE l.secret_id = v.secret_id AND l.version = v.version) AS known`;
const IN_KV = "v.kv_key IS NOT NULL AND v.ciphertext IS NULL";
const MARKED = `(SELECT row_key FROM integrity_marks WHERE table_name = '${MARK}')`;

/** Selects the next versions after those that were looked at last ({@link StoredVersion}). */
export function selectNextStored(db: D1Database, limit: number): D1PreparedStatement {
  return db
    .prepare(
      `SELECT ${COLUMNS} FROM versions v CROSS JOIN secrets s ON s.id = v.secret_id
       WHERE ${IN_KV} AND (v.secret_id, v.version) > (COALESCE(${MARKED} ->> 0, ''), COALESCE(${MARKED} ->> 1, 0)) ORDER BY v.secret_id, v.version LIMIT ?`,
    )
    .bind(limit);
}

/** Selects versions that are known to be lost, those first that were not looked at for longest ({@link StoredVersion}). */
export function selectLost(db: D1Database, limit: number): D1PreparedStatement {
  return db
    .prepare(
      `SELECT ${COLUMNS} FROM (SELECT secret_id, version FROM lost_values ORDER BY seen_at LIMIT ?) o
       CROSS JOIN versions v ON v.secret_id = o.secret_id AND v.version = o.version CROSS JOIN secrets s ON s.id = v.secret_id WHERE ${IN_KV}`,
    )
    .bind(limit);
}

/** Records how far the look at values has come; `null` for one that begins again. */
export function markStored(db: D1Database, last: Pick<StoredVersion, "secret_id" | "version"> | null): D1PreparedStatement {
  return db
    .prepare("INSERT INTO integrity_marks (table_name, row_key) VALUES (?, ?) ON CONFLICT (table_name) DO UPDATE SET row_key = excluded.row_key")
    .bind(MARK, JSON.stringify(last ? [last.secret_id, last.version] : ["", 0]));
}

/** A version that is lost. */
export type LostValue = Pick<StoredVersion, "secret_id" | "version" | "org"> & { readonly reason: string };

/** Notes values that are lost. */
export function noteLost(db: D1Database, rows: readonly LostValue[], now: number): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO lost_values (secret_id, version, org, reason, seen_at)
       SELECT v.secret_id, v.version, j.value ->> 'org', j.value ->> 'reason', ?2
       FROM json_each(?1) j CROSS JOIN versions v ON v.secret_id = j.value ->> 'secret_id' AND v.version = j.value ->> 'version' WHERE v.kv_key IS NOT NULL
       ON CONFLICT (secret_id, version) DO UPDATE SET reason = excluded.reason, seen_at = excluded.seen_at`,
    )
    .bind(JSON.stringify(rows), now);
}

/** Forgets values that are well again, and those of versions that were destroyed. */
export function forgetLost(db: D1Database, rows: readonly Pick<StoredVersion, "secret_id" | "version">[]): D1PreparedStatement {
  return db
    .prepare(
      `DELETE FROM lost_values WHERE (secret_id, version) IN (SELECT j.value ->> 'secret_id', j.value ->> 'version' FROM json_each(?) j)
         OR EXISTS (SELECT 1 FROM versions v WHERE v.secret_id = lost_values.secret_id AND v.version = lost_values.version AND v.kv_key IS NULL)`,
    )
    .bind(JSON.stringify(rows));
}
