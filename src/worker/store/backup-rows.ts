import { CARRIED_TABLE_NAMES, type CarriedTableName, carriedTable } from "./carried-tables.ts";
import type { RowKey } from "./integrity-rows.ts";
import { SELECTED_ENCODING } from "./version-columns.ts";

/** A row as a backup carries it: its columns by name. */
export type CarriedRow = Readonly<Record<string, string | number | null>>;

/** A column of a carried table that D1 does not compute. */
export interface CarriedColumn {
  readonly table_name: CarriedTableName;
  readonly name: string;
}

/** Selects the columns of all carried tables, as the database has them ({@link CarriedColumn}). */
export function selectCarriedColumns(db: D1Database): D1PreparedStatement {
  return db
    .prepare("SELECT j.value AS table_name, c.name FROM json_each(?) j CROSS JOIN pragma_table_info(j.value) c ORDER BY j.key, c.cid")
    .bind(JSON.stringify(CARRIED_TABLE_NAMES));
}

/** The columns of each table that are carried. */
export type Columns = ReadonlyMap<CarriedTableName, readonly string[]>;

/** Sorts columns by their table, without those that are made anew. */
export function carriedColumns(found: readonly CarriedColumn[]): Columns {
  return new Map(
    CARRIED_TABLE_NAMES.map((table) => [
      table,
      found.filter(({ table_name, name }) => table_name === table && !Object.hasOwn(carriedTable(table).anew ?? {}, name)).map(({ name }) => name),
    ]),
  );
}

/** What a secret's seal covers of its current version. */
export const OF_CURRENT_VERSION = ["encoding", "kind"] as const;

function selection(columns: Columns, table: CarriedTableName): string {
  const own = (columns.get(table) ?? []).map((column) => `t.${column}`);
  if (table !== "secrets") return `SELECT ${own.join(", ")} FROM ${table} t`;
  return `SELECT ${[...own, SELECTED_ENCODING, "v.kind"].join(", ")} FROM secrets t LEFT JOIN versions v ON v.secret_id = t.id AND v.version = t.version`;
}

const keyOf = (table: CarriedTableName) =>
  carriedTable(table)
    .key.map((column) => `t.${column}`)
    .join(", ");
const onlyOf = (table: CarriedTableName) => `(${carriedTable(table).only ?? "true"})`;

/** Selects the next rows of a table after one, in the order of their keys ({@link CarriedRow}). */
export function selectNextCarried(db: D1Database, columns: Columns, table: CarriedTableName, after: RowKey | null): D1PreparedStatement {
  const { key, rows } = carriedTable(table);
  const beyond = after === null ? "true" : `(${keyOf(table)}) > (${key.map(() => "?").join(", ")})`;
  return db.prepare(`${selection(columns, table)} WHERE ${onlyOf(table)} AND ${beyond} ORDER BY ${keyOf(table)} LIMIT ${rows}`).bind(...(after ?? []));
}

/** A change of a row: which one. */
export interface ChangedRow {
  readonly n: number;
  readonly table_name: CarriedTableName;
  /** The values of the columns that name the row (JSON). */
  readonly row_key: string;
}

const NEXT_CHANGES = "SELECT n, table_name, row_key FROM changed_rows WHERE n > ?1 ORDER BY n LIMIT ?2";

/** Selects the next changes after one ({@link ChangedRow}), and then, of each table in order, the rows that they are about, as they are now. */
export function selectChanges(db: D1Database, columns: Columns, after: number, limit: number): D1PreparedStatement[] {
  const rowsOf = (table: CarriedTableName) => {
    const { key } = carriedTable(table);
    const named = key.map((column, n) => `t.${column} = c.row_key ->> ${n}`).join(" AND ");
    const changed = `SELECT DISTINCT row_key FROM (${NEXT_CHANGES}) WHERE table_name = '${table}'`;
    const [from = "", joined = ""] = selection(columns, table).split(` FROM ${table} t`);
    return `${from} FROM (${changed}) c CROSS JOIN ${table} t ON ${named}${joined} WHERE ${onlyOf(table)}`;
  };
  return [NEXT_CHANGES, ...CARRIED_TABLE_NAMES.map(rowsOf)].map((sql) => db.prepare(sql).bind(after, limit));
}

/** A backup that is being taken. */
export interface BackupRow {
  readonly id: string;
  readonly begun_at: number;
  readonly first_change: number;
  /** Up to which event each log had come, by organization (JSON). */
  readonly logs: string;
}

/** SQL for up to which event each log has come, as a JSON object. Every event is in D1 or, at the end of a log, the last that was removed. */
export const LOGS = `(WITH RECURSIVE orgs (org) AS (
    SELECT MIN(org) FROM audit_events UNION ALL SELECT (SELECT MIN(e.org) FROM audit_events e WHERE e.org > o.org) FROM orgs o WHERE o.org IS NOT NULL
  ) SELECT json_group_object(org, (SELECT MAX(e.seq) FROM audit_events e WHERE e.org = orgs.org)) FROM orgs WHERE org IS NOT NULL)`;

/** Selects up to which event each log has come, as `logs` (JSON). */
export function selectLogExtents(db: D1Database): D1PreparedStatement {
  return db.prepare(`SELECT ${LOGS} AS logs`);
}

/** Begins to note changes for a backup. */
export function insertBackup(db: D1Database, id: string, by: string, now: number): D1PreparedStatement {
  return db
    .prepare(`INSERT INTO backups (id, begun_at, begun_by, first_change, logs) SELECT ?, ?, ?, COALESCE((SELECT MAX(n) FROM changed_rows), 0), ${LOGS}`)
    .bind(id, now, by);
}

/** Selects a backup ({@link BackupRow}). */
export function selectBackup(db: D1Database, id: string): D1PreparedStatement {
  return db.prepare("SELECT id, begun_at, first_change, logs FROM backups WHERE id = ?").bind(id);
}

/** Ends a backup: nothing more is noted for it. */
export function deleteBackup(db: D1Database, id: string): D1PreparedStatement {
  return db.prepare("DELETE FROM backups WHERE id = ?").bind(id);
}

/** Ends the backups that began before a time, or before the last `most` changes. */
export function deleteOldBackups(db: D1Database, before: number, most: number): D1PreparedStatement {
  return db.prepare("DELETE FROM backups WHERE begun_at < ?1 OR first_change < (SELECT MAX(n) FROM changed_rows) - ?2").bind(before, most);
}

/** Counts the backups that are being taken, as `backups`. */
export function countBackups(db: D1Database): D1PreparedStatement {
  return db.prepare("SELECT COUNT(*) AS backups FROM backups");
}

/** Forgets all changes: the batch is stopped by the guard `unchanged` when there is a backup. Without a condition SQLite empties the table at once. */
export function forgetAllChanges(db: D1Database): D1PreparedStatement[] {
  return [db.prepare("INSERT INTO guard (unchanged) SELECT 0 WHERE EXISTS (SELECT 1 FROM backups)"), db.prepare("DELETE FROM changed_rows")];
}

/** Forgets up to `limit` changes that no backup needs. */
export function forgetChanges(db: D1Database, limit: number): D1PreparedStatement {
  return db
    .prepare(
      `DELETE FROM changed_rows WHERE n IN (
         SELECT n FROM changed_rows WHERE n <= COALESCE((SELECT MIN(first_change) FROM backups), ${Number.MAX_SAFE_INTEGER}) ORDER BY n LIMIT ?)`,
    )
    .bind(limit);
}
