import { type CarriedRow, LOGS } from "./backup-rows.ts";
import { CARRIED_TABLE_NAMES, type CarriedTableName, carriedTable } from "./carried-tables.ts";
import { chunks } from "./chunks.ts";
import type { RowKey } from "./integrity-rows.ts";
import { requireChanges } from "./secret-rows.ts";

/** A restore that is under way. */
export interface RestoreRow {
  readonly backup: string;
  /** The last page that is here, and its signature. */
  readonly page: number;
  readonly jws: string;
  /** What the backup's end says of logs (JSON); `null` while that is not here. */
  readonly logs: string | null;
  /** The last organization that has been seen to. */
  readonly done_to: string;
  /** Up to which checkpoint the log of the next one has been verified. */
  readonly verified_to: number;
}

/** Selects the restore that is under way ({@link RestoreRow}). */
export function selectRestore(db: D1Database): D1PreparedStatement {
  return db.prepare("SELECT backup, page, jws, logs, done_to, verified_to FROM restores");
}

/** What there may be of a log in a deployment that has nothing yet: refused calls, and that something was missed. */
const ABOUT_NOTHING = "(outcome = 'denied' OR action = 'integrity.failed')";

/**
 * Begins a restore: the batch is stopped by the guard `nothing_here` when the deployment has anything of an organization, or a
 * restore is under way. What its log has of refused calls goes.
 */
export function beginRestore(db: D1Database, row: Pick<RestoreRow, "backup" | "page" | "jws" | "logs">, now: number): D1PreparedStatement[] {
  const logOnly = ["audit_events", "audit_lists", "audit_checkpoints", "audit_heads"];
  const full = CARRIED_TABLE_NAMES.filter((table) => !logOnly.includes(table)).map((table) => `SELECT 1 FROM ${table}`);
  const clearing = [
    // The trigger that keeps events asks how far retention has come.
    `INSERT INTO audit_heads (org, removed_to, kid, jws, tried_at) SELECT org, MAX(seq), '', '', 0 FROM audit_events GROUP BY org
     ON CONFLICT (org) DO UPDATE SET removed_to = excluded.removed_to`,
    ...["audit_events", "audit_checkpoints", "audit_heads", "audit_marks", "audit_statements", "audit_by_secret", "event_counts", "usage"].map(
      (table) => `DELETE FROM ${table}`,
    ),
  ];
  return [
    db.prepare(
      `INSERT INTO guard (nothing_here) SELECT 0 WHERE ${[...full, `SELECT 1 FROM audit_events WHERE NOT ${ABOUT_NOTHING}`, "SELECT 1 FROM restores"]
        .map((sql) => `EXISTS (${sql})`)
        .join(" OR ")}`,
    ),
    ...clearing.map((sql) => db.prepare(sql)),
    db.prepare("INSERT INTO restores (id, backup, page, jws, begun_at, logs) VALUES (1, ?, ?, ?, ?, ?)").bind(row.backup, row.page, row.jws, now, row.logs),
  ];
}

/** Begins a restore without pages, unless one is under way: the database itself was set back. Follow it with {@link requireChanges}. */
export function beginInPlace(db: D1Database, id: string, now: number): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO restores (id, backup, page, jws, begun_at, logs)
     SELECT 1, ?, 0, '', ?, (SELECT json_group_object(e.key, json_array(0, e.value)) FROM json_each(${LOGS}) e) WHERE true ON CONFLICT DO NOTHING`,
    )
    .bind(id, now);
}

/** Lets statements have events that delete again what was deleted; the batch is stopped by the guard `unchanged` unless a restore without pages is under way. */
export function whileReconciling(db: D1Database, statements: readonly D1PreparedStatement[]): D1PreparedStatement[] {
  const set = (deleting: 0 | 1) => db.prepare("UPDATE restores SET deleting = ? WHERE page = 0").bind(deleting);
  return [set(1), requireChanges(db, 1), ...statements, set(0)];
}

/** Selects those of some KV keys that no row names, as `kv_key`. */
export function selectUnnamed(db: D1Database, kvKeys: readonly string[]): D1PreparedStatement {
  const named = ["versions", "audit_archives", "kv_removals"].map((table) => `NOT EXISTS (SELECT 1 FROM ${table} t WHERE t.kv_key = j.value)`);
  return db.prepare(`SELECT j.value AS kv_key FROM json_each(?) j WHERE ${named.join(" AND ")}`).bind(JSON.stringify(kvKeys));
}

/** Notes KV keys for removal that no row names. */
export function noteUnnamed(db: D1Database, kvKeys: readonly string[], now: number): D1PreparedStatement {
  return db.prepare("INSERT OR IGNORE INTO kv_removals (kv_key, noted_at) SELECT value, ? FROM json_each(?)").bind(now, JSON.stringify(kvKeys));
}

/** Records that the next page is here: the batch is stopped by the guard `unchanged` when another one is meanwhile. */
export function advanceRestore(db: D1Database, was: RestoreRow, row: Pick<RestoreRow, "page" | "jws" | "logs">): D1PreparedStatement[] {
  return [
    db
      .prepare("UPDATE restores SET page = ?, jws = ?, logs = ? WHERE backup = ? AND page = ? AND jws = ? AND logs IS NULL")
      .bind(row.page, row.jws, row.logs, was.backup, was.page, was.jws),
    requireChanges(db, 1),
  ];
}

/** Records how far the log of the next organization has been verified. */
export function noteVerified(db: D1Database, was: string, number: number): D1PreparedStatement {
  return db.prepare("UPDATE restores SET verified_to = ? WHERE done_to = ? AND logs IS NOT NULL").bind(number, was);
}

/** Records that an organization has been seen to; the batch is stopped by the guard `unchanged` when another call has done that. */
export function noteDone(db: D1Database, was: string, org: string): D1PreparedStatement[] {
  return [db.prepare("UPDATE restores SET done_to = ?, verified_to = 0 WHERE done_to = ? AND logs IS NOT NULL").bind(org, was), requireChanges(db, 1)];
}

/** Ends the restore. */
export function endRestore(db: D1Database, was: string): D1PreparedStatement[] {
  return [db.prepare("DELETE FROM restores WHERE done_to = ? AND logs IS NOT NULL").bind(was), requireChanges(db, 1)];
}

/** Selects the secrets that versions are of ({@link VersionOwner}). */
export function selectOwners(db: D1Database, ids: readonly string[]): D1PreparedStatement {
  return db.prepare("SELECT s.id, s.org, s.scope, s.name FROM json_each(?) j CROSS JOIN secrets s ON s.id = j.value").bind(JSON.stringify(ids));
}

/** Whose a version is. */
export interface VersionOwner {
  readonly id: string;
  readonly org: string;
  readonly scope: string;
  readonly name: string;
}

/** Rows of a table that are put here, and the keys of those that are gone. */
export interface TableChange {
  readonly table: CarriedTableName;
  readonly rows: readonly CarriedRow[];
  readonly gone: readonly RowKey[];
}

/** What is not of the log's end comes after what lets it go: triggers ask heads and archives whether events may. */
const FIRST: ReadonlySet<CarriedTableName> = new Set(["audit_heads", "audit_archives"]);

/** Puts rows of several tables here, and removes others, in an order in which every trigger agrees. */
export function putCarried(db: D1Database, changes: readonly TableChange[], now: number): D1PreparedStatement[] {
  const [first, others] = [changes.filter(({ table }) => FIRST.has(table)), changes.filter(({ table }) => !FIRST.has(table))];
  const put = ({ table, rows }: TableChange) => chunks(rows).flatMap((some) => putRows(db, table, some, now));
  const remove = ({ table, gone }: TableChange) => (gone.length === 0 ? [] : removeRows(db, table, gone, now));
  return [...first.flatMap(put), ...[...others, ...first].toReversed().flatMap(remove), ...others.flatMap(put)];
}

const sameKey = (table: CarriedTableName, name: string, value: (column: string, n: number) => string) =>
  carriedTable(table)
    .key.map((column, n) => `${name}.${column} = ${value(column, n)}`)
    .join(" AND ");

function putRows(db: D1Database, table: CarriedTableName, rows: readonly CarriedRow[], now: number): D1PreparedStatement[] {
  const { key, changing } = carriedTable(table);
  const columns = Object.keys(rows[0] ?? {});
  const changed = (changing ?? columns.filter((column) => !key.includes(column))).filter((column) => columns.includes(column));
  const conflict =
    changed.length === 0 ? "DO NOTHING" : `(${key.join(", ")}) DO UPDATE SET ${changed.map((column) => `${column} = excluded.${column}`).join(", ")}`;
  const values = columns.map((column) => `j.value ->> '${column}'`).join(", ");
  const insert = `INSERT INTO ${table} (${columns.join(", ")}) SELECT ${values} FROM json_each(?1) j WHERE ${FITTING[table] ?? "true"} ON CONFLICT ${conflict}`;
  return [...(BEFORE[table]?.(db, rows, now) ?? []), db.prepare(insert).bind(JSON.stringify(rows))];
}

/** Which rows there is a place for: of what belongs to another row that comes later in the backup, that brings both. */
const FITTING: Readonly<Partial<Record<CarriedTableName, string>>> = {
  versions: "EXISTS (SELECT 1 FROM secrets s WHERE s.id = j.value ->> 'secret_id')",
  audit_lists: `EXISTS (SELECT 1 FROM audit_events e WHERE e.org = j.value ->> 'org' AND e.seq = j.value ->> 'seq' AND e.secrets = 'null')
    AND NOT EXISTS (SELECT 1 FROM audit_lists l WHERE l.org = j.value ->> 'org' AND l.seq = j.value ->> 'seq')`,
};

type Before = (db: D1Database, rows: readonly CarriedRow[], now: number) => D1PreparedStatement[];

const NOTE = "INSERT OR IGNORE INTO kv_removals (kv_key, noted_at, org) SELECT";
/** The secrets that had a place which another has now. */
const DISPLACED = `SELECT s.id FROM json_each(?1) j CROSS JOIN secrets s
  ON s.org = j.value ->> 'org' AND s.scope = j.value ->> 'scope' AND s.name = j.value ->> 'name' WHERE s.id <> j.value ->> 'id'`;

const BEFORE: Readonly<Partial<Record<CarriedTableName, Before>>> = {
  secrets: (db, rows, now) => [
    db.prepare(`${NOTE} v.kv_key, ?2, v.org FROM versions v WHERE v.kv_key IS NOT NULL AND v.secret_id IN (${DISPLACED})`).bind(JSON.stringify(rows), now),
    db.prepare(`DELETE FROM secrets WHERE id IN (${DISPLACED})`).bind(JSON.stringify(rows)),
  ],
  versions: (db, rows, now) => [
    db
      .prepare(
        `${NOTE} v.kv_key, ?2, v.org FROM json_each(?1) j CROSS JOIN versions v ON ${sameKey("versions", "v", (column) => `j.value ->> '${column}'`)}
         WHERE v.kv_key IS NOT NULL AND v.kv_key IS NOT j.value ->> 'kv_key'`,
      )
      .bind(JSON.stringify(rows), now),
  ],
};

/** What is noted of rows before they go. */
const NOTED: Readonly<Partial<Record<CarriedTableName, string>>> = {
  secrets: `${NOTE} v.kv_key, ?2, v.org FROM json_each(?1) j CROSS JOIN versions v ON v.secret_id = j.value ->> 0 WHERE v.kv_key IS NOT NULL`,
  versions: `${NOTE} t.kv_key, ?2, t.org FROM json_each(?1) j CROSS JOIN versions t ON ${sameKey("versions", "t", (_, n) => `j.value ->> ${n}`)} WHERE t.kv_key IS NOT NULL`,
  audit_archives: `${NOTE} t.kv_key, ?2, t.org FROM json_each(?1) j CROSS JOIN audit_archives t ON ${sameKey("audit_archives", "t", (_, n) => `j.value ->> ${n}`)} WHERE true`,
};

function removeRows(db: D1Database, table: CarriedTableName, gone: readonly RowKey[], now: number): D1PreparedStatement[] {
  const keys = JSON.stringify(gone);
  const noted = NOTED[table];
  const named = `(${carriedTable(table).key.join(", ")}) IN (SELECT ${carriedTable(table)
    .key.map((_, n) => `j.value ->> ${n}`)
    .join(", ")} FROM json_each(?) j)`;
  // A scope that is in use stays, for triggers count.
  const undeclared = table === "scopes" ? [db.prepare(`UPDATE scopes SET parent = NULL, seal = NULL WHERE ${named}`).bind(keys)] : [];
  const unused = table === "scopes" ? "secrets = 0 AND " : "";
  return [...(noted ? [db.prepare(noted).bind(keys, now)] : []), ...undeclared, db.prepare(`DELETE FROM ${table} WHERE ${unused}${named}`).bind(keys)];
}
