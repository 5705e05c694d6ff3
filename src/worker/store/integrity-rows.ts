import { decidingColumns, SEALED_TABLES, type SealedTableName } from "./sealed-tables.ts";
import { SELECTED_ENCODING } from "./version-columns.ts";

/** A row that is not what was sealed. */
export interface FailedRow {
  readonly org: string;
  readonly table: SealedTableName;
  /** The values of the columns that name it. */
  readonly key: RowKey;
}

/** The values of the columns that name a row. */
export type RowKey = readonly (string | number)[];

/** A row with the columns that decide, and its seal. */
export type SealedCells = Readonly<Record<string, string | number | null>> & { readonly org: string; readonly seal: string | null };

/** Where the columns come from that decide, by table: of a secret some are its current version's. */
const FROM: Readonly<Record<SealedTableName, string>> = {
  secrets: "secrets t LEFT JOIN versions v ON v.secret_id = t.id AND v.version = t.version",
  scopes: "scopes t",
  scope_stores: "scope_stores t",
  store_writes: "store_writes t",
  trusts: "trusts t",
  tokens: "tokens t",
  services: "services t",
  stores: "stores t",
  webhooks: "webhooks t",
  webhook_deliveries: "webhook_deliveries t",
  revocations: "revocations t",
  quotas: "quotas t",
  audit_archives: "audit_archives t",
};
const OF_VERSION: Readonly<Record<string, string>> = { encoding: SELECTED_ENCODING, kind: "v.kind" };
/** A scope that is in use and lies under no other has a row that nobody declared. */
const DECLARED: Readonly<Partial<Record<SealedTableName, string>>> = { scopes: "(t.parent IS NOT NULL OR t.seal IS NOT NULL)" };

function columnsOf(table: SealedTableName): string {
  return [...decidingColumns(table), "seal"].map((column) => (table === "secrets" && OF_VERSION[column]) || `t.${column}`).join(", ");
}

function keyOf(table: SealedTableName, alias = "t"): string {
  return SEALED_TABLES[table].key.map((column) => `${alias}.${column}`).join(", ");
}

/** Selects how far the look at each table has come, as `table_name` and `row_key` (JSON). */
export function selectLookedAt(db: D1Database): D1PreparedStatement {
  return db.prepare("SELECT table_name, row_key FROM integrity_marks");
}

/** Records how far the look at tables has come; `null` for one that begins again. */
export function markLookedAt(db: D1Database, marks: Readonly<Partial<Record<SealedTableName, RowKey | null>>>): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO integrity_marks (table_name, row_key) SELECT j.key, j.value FROM json_each(?) j WHERE true
       ON CONFLICT (table_name) DO UPDATE SET row_key = excluded.row_key`,
    )
    .bind(JSON.stringify(Object.fromEntries(Object.entries(marks).map(([table, key]) => [table, JSON.stringify(key)]))));
}

/** A stretch of a table, by the keys of its rows: after `from`, up to `to`; `null` for the beginning and the end. */
export interface KeyRange {
  readonly from: RowKey | null;
  readonly to: RowKey | null;
}

/** SQL for whether keys are in a range, which goes to D1 as JSON. Only the ends that there are: an index is used for those. */
export function withinRange(range: KeyRange, keys: readonly string[], parameter: string): string {
  const side = (name: keyof KeyRange) => keys.map((_, n) => `${parameter} ->> '$.${name}[${n}]'`).join(", ");
  const ends = (["from", "to"] as const).filter((name) => range[name] !== null);
  // D1 takes no parameter that the statement does not name.
  return [`${parameter} IS NOT NULL`, ...ends.map((name) => `(${keys.join(", ")}) ${name === "from" ? ">" : "<="} (${side(name)})`)].join(" AND ");
}

/**
 * SQL that selects `org` of the first rows of a range, which goes to D1 as JSON: of those that {@link selectNextSealed}
 * selects, and of those that nobody declared, because one that was declared may have been made to look so.
 */
export function orgsOfNext(table: SealedTableName, range: KeyRange, limit: number, parameter: string): string {
  const keys = SEALED_TABLES[table].key.map((column) => `t.${column}`);
  const within = withinRange(range, keys, parameter);
  const first = (condition: string) => `SELECT org FROM (SELECT t.org FROM ${table} t WHERE ${condition} ORDER BY ${keyOf(table)} LIMIT ${limit})`;
  const declared = DECLARED[table];
  return declared ? `${first(within)} UNION ALL ${first(`${declared} AND ${within}`)}` : first(within);
}

/** Selects up to `limit` rows of a table after one, in the order of their keys, and not beyond another ({@link SealedCells}). */
export function selectNextSealed(db: D1Database, table: SealedTableName, after: RowKey | null, limit: number, upTo: RowKey | null = null): D1PreparedStatement {
  const { length } = SEALED_TABLES[table].key;
  const places = (from: number) => Array.from({ length }, (_, n) => `?${from + n}`).join(", ");
  const bounds = [
    { is: ">", key: after },
    { is: "<=", key: upTo },
  ].filter(({ key }) => key !== null);
  const conditions = [DECLARED[table] ?? "true", ...bounds.map(({ is }, n) => `(${keyOf(table)}) ${is} (${places(2 + n * length)})`)];
  return db
    .prepare(`SELECT ${columnsOf(table)} FROM ${FROM[table]} WHERE ${conditions.join(" AND ")} ORDER BY ${keyOf(table)} LIMIT ?1`)
    .bind(limit, ...bounds.flatMap(({ key }) => key ?? []));
}

/** Selects rows of a table by their keys ({@link SealedCells}). */
export function selectSealed(db: D1Database, table: SealedTableName, keys: readonly RowKey[]): D1PreparedStatement {
  const same = SEALED_TABLES[table].key.map((column, n) => `t.${column} = j.value ->> ${n}`).join(" AND ");
  const [first = "", ...joins] = FROM[table].split(" LEFT JOIN ");
  const rest = joins.map((join) => `LEFT JOIN ${join}`).join(" ");
  return db.prepare(`SELECT ${columnsOf(table)} FROM json_each(?) j CROSS JOIN ${first} ON ${same} ${rest}`).bind(JSON.stringify(keys));
}

/** Selects up to `limit` rows of a table that have no seal ({@link SealedCells}). */
export function selectUnsealed(db: D1Database, table: SealedTableName, limit: number): D1PreparedStatement {
  const condition = table === "scopes" ? "t.parent IS NOT NULL AND t.seal IS NULL" : "t.seal IS NULL";
  return db.prepare(`SELECT ${columnsOf(table)} FROM ${FROM[table]} WHERE ${condition} ORDER BY ${keyOf(table)} LIMIT ?`).bind(limit);
}

/** A row, and the seal that takes the place of the one that it has. */
export interface Resealed {
  readonly key: RowKey;
  readonly was: string | null;
  readonly seal: string;
}

/** Replaces seals that are still what they were. */
export function replaceSeals(db: D1Database, table: SealedTableName, rows: readonly Resealed[]): D1PreparedStatement {
  const same = SEALED_TABLES[table].key.map((column, n) => `${table}.${column} = j.value ->> '$.key[${n}]'`).join(" AND ");
  return db
    .prepare(`UPDATE ${table} SET seal = j.value ->> 'seal' FROM json_each(?) j WHERE ${same} AND ${table}.seal IS (j.value ->> 'was')`)
    .bind(JSON.stringify(rows));
}

/** Notes rows that are not what was sealed, for `/readyz` to count. */
export function noteFailures(db: D1Database, rows: readonly FailedRow[], now: number): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO integrity_failures (org, table_name, row_key, seen_at)
       SELECT j.value ->> 'org', j.value ->> 'table', j.value -> 'key', ?2 FROM json_each(?1) j WHERE true
       ON CONFLICT (org, table_name, row_key) DO UPDATE SET seen_at = excluded.seen_at`,
    )
    .bind(JSON.stringify(rows), now);
}

/** Selects up to `limit` rows that were found not to be what was sealed, those first that were not looked at for longest: `org`, `table_name`, `row_key` (JSON). */
export function selectFailures(db: D1Database, limit: number): D1PreparedStatement {
  return db.prepare("SELECT org, table_name, row_key FROM integrity_failures ORDER BY seen_at LIMIT ?").bind(limit);
}

/** Forgets rows that are well again, or gone. */
export function forgetFailures(db: D1Database, rows: readonly FailedRow[]): D1PreparedStatement {
  return db
    .prepare(
      `DELETE FROM integrity_failures WHERE (org, table_name, row_key) IN (
         SELECT j.value ->> 'org', j.value ->> 'table', j.value -> 'key' FROM json_each(?) j)`,
    )
    .bind(JSON.stringify(rows));
}
