import { fairSelect, type Shared } from "./fair-select.ts";
import type { Turn } from "./inline-ciphertexts.ts";

/** What was begun in a store outside and has not ended here. Times are milliseconds since 1970. */
export interface StoreWriteRow {
  readonly org: string;
  readonly scope: string;
  readonly name: string;
  /** A UUID: by it the store is asked whether it has happened. */
  readonly operation: string;
  readonly store: string;
  /** What it makes of the secret, without its value: JSON. */
  readonly plan: string;
  readonly at: number;
  /** When the store is asked again. */
  readonly retry_at: number;
  /** When it was asked for the first time; `null`: it has not been yet. */
  readonly asked_at: number | null;
  readonly seal: string | null;
}

/** The columns of what is begun, in which nobody has been asked. */
const BEGUN = ["org", "scope", "name", "operation", "store", "plan", "at", "retry_at", "seal"] as const;

/** A write whose store is to be asked. */
export type DueWrite = StoreWriteRow & Shared;

/** Selects up to `limit` writes whose store is to be asked, of each organization those that wait longest ({@link DueWrite}). */
export function selectDueWrites(db: D1Database, { now, turn }: Turn, limit: number): D1PreparedStatement {
  const waiting = { table: "store_writes", due: "retry_at <= ?1", order: "retry_at", key: "operation", columns: [...BEGUN, "asked_at"] };
  return db.prepare(fairSelect(waiting, { limit: "?2", turn: "?3" })).bind(now, limit, turn);
}

/** Selects what has been begun of names in a scope ({@link StoreWriteRow}). */
export function selectWrites(db: D1Database, org: string, scope: string, names: readonly string[]): D1PreparedStatement {
  return db
    .prepare("SELECT * FROM store_writes WHERE org = ? AND scope = ? AND name IN (SELECT value FROM json_each(?))")
    .bind(org, scope, JSON.stringify(names));
}

/** Inserts what is begun. Precede it with {@link requireNoWrites}. */
export function insertWrites(db: D1Database, rows: readonly Omit<StoreWriteRow, "asked_at">[]): D1PreparedStatement {
  return db
    .prepare(`INSERT INTO store_writes (${BEGUN.join(", ")}) SELECT ${BEGUN.map((column) => `j.value ->> '${column}'`).join(", ")} FROM json_each(?) j`)
    .bind(JSON.stringify(rows));
}

/** Aborts the batch with the guard `store_writes_left` where more than `most` writes of an organization have been begun. Precede it with {@link insertWrites}. */
export function requireFewWrites(db: D1Database, org: string, most: number): D1PreparedStatement {
  return db.prepare("INSERT INTO guard (store_writes_left) SELECT 0 WHERE (SELECT COUNT(*) FROM store_writes WHERE org = ?) > ?").bind(org, most);
}

/** Aborts the batch with the guard `store_write_pending` where something has been begun of one of some names. */
export function requireNoWrites(db: D1Database, org: string, scope: string, names: readonly string[]): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO guard (store_write_pending) SELECT 0 WHERE EXISTS (
         SELECT 1 FROM json_each(?3) j JOIN store_writes w ON w.org = ?1 AND w.scope = ?2 AND w.name = j.value)`,
    )
    .bind(org, scope, JSON.stringify(names));
}

/** Aborts the batch with the guard `unchanged` where one of some names is there, deleted or not. */
export function requireNoSecrets(db: D1Database, org: string, scope: string, names: readonly string[]): D1PreparedStatement {
  return db
    .prepare(
      "INSERT INTO guard (unchanged) SELECT 0 WHERE EXISTS (SELECT 1 FROM json_each(?3) j JOIN secrets s ON s.org = ?1 AND s.scope = ?2 AND s.name = j.value)",
    )
    .bind(org, scope, JSON.stringify(names));
}

/** Ends what was begun; aborts the batch with the guard `store_write_ended` where somebody else has ended one. */
export function endWrites(db: D1Database, operations: readonly string[]): D1PreparedStatement[] {
  return [requireWrites(db, operations), forgetWrites(db, operations)];
}

/** Aborts the batch with the guard `store_write_ended` where something that was begun is not there any more. */
export function requireWrites(db: D1Database, operations: readonly string[]): D1PreparedStatement {
  return db
    .prepare("INSERT INTO guard (store_write_ended) SELECT 0 WHERE (SELECT COUNT(*) FROM json_each(?1) j JOIN store_writes w ON w.operation = j.value) <> ?2")
    .bind(JSON.stringify(operations), operations.length);
}

/** Replaces the plan of what was begun. Precede it with {@link requireWrites}. */
export function updatePlan(db: D1Database, { operation, plan, seal }: Pick<StoreWriteRow, "operation" | "plan" | "seal">): D1PreparedStatement {
  return db.prepare("UPDATE store_writes SET plan = ?, seal = ? WHERE operation = ?").bind(plan, seal, operation);
}

/** Forgets what was begun, if nobody has ended it yet. */
export function forgetWrites(db: D1Database, operations: readonly string[]): D1PreparedStatement {
  return db.prepare("DELETE FROM store_writes WHERE operation IN (SELECT value FROM json_each(?))").bind(JSON.stringify(operations));
}

/** Notes that a store was asked, or could not be, and when it is again. */
export function deferWrite(
  db: D1Database,
  operation: string,
  { askedAt, retryAt }: { readonly askedAt: number; readonly retryAt: number },
): D1PreparedStatement {
  return db.prepare("UPDATE store_writes SET retry_at = ?, asked_at = COALESCE(asked_at, ?) WHERE operation = ?").bind(retryAt, askedAt, operation);
}

/** Aborts the batch with the guard `store_write_pending` where something has been begun in a store. */
export function requireNoWritesIn(db: D1Database, org: string, store: string): D1PreparedStatement {
  return db.prepare("INSERT INTO guard (store_write_pending) SELECT 0 WHERE EXISTS (SELECT 1 FROM store_writes WHERE org = ? AND store = ?)").bind(org, store);
}

/** The same of something that has been begun in a scope. */
export function requireNoWritesOf(db: D1Database, org: string, scope: string): D1PreparedStatement {
  return db.prepare("INSERT INTO guard (store_write_pending) SELECT 0 WHERE EXISTS (SELECT 1 FROM store_writes WHERE org = ? AND scope = ?)").bind(org, scope);
}
