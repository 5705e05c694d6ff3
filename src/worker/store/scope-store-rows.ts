import type { TextRange } from "./secret-list.ts";

/** A scope that is in a store outside, and what the keys of its values begin with there. */
export interface ScopeStoreRow {
  readonly org: string;
  readonly scope: string;
  readonly store: string;
  readonly prefix: string;
  readonly updated_at: number;
  readonly updated_by: string;
  readonly seal: string | null;
}

/** Selects what store a scope is in ({@link ScopeStoreRow}). */
export function selectScopeStore(db: D1Database, org: string, scope: string): D1PreparedStatement {
  return db.prepare("SELECT * FROM scope_stores WHERE org = ? AND scope = ?").bind(org, scope);
}

/** Selects up to `limit` scopes in stores within disjoint ranges ({@link ScopeStoreRow}), by name. */
export function selectScopeStores(db: D1Database, org: string, ranges: readonly TextRange[], limit: number): D1PreparedStatement {
  return db
    .prepare(
      `SELECT s.* FROM json_each(?2) r CROSS JOIN scope_stores s ON s.org = ?1 AND s.scope BETWEEN r.value ->> 'from' AND r.value ->> 'to'
       ORDER BY s.scope LIMIT ?3`,
    )
    .bind(org, JSON.stringify(ranges), limit);
}

/** Puts a scope into a store. */
export function upsertScopeStore(db: D1Database, s: ScopeStoreRow): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO scope_stores (org, scope, store, prefix, updated_at, updated_by, seal) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (org, scope) DO UPDATE SET store = excluded.store, prefix = excluded.prefix, updated_at = excluded.updated_at,
         updated_by = excluded.updated_by, seal = excluded.seal`,
    )
    .bind(s.org, s.scope, s.store, s.prefix, s.updated_at, s.updated_by, s.seal);
}

/** Aborts the batch with the guard `scope_stores_left` where more than `most` scopes of an organization are in stores. Precede it with {@link upsertScopeStore}. */
export function requireFewScopes(db: D1Database, org: string, most: number): D1PreparedStatement {
  return db.prepare("INSERT INTO guard (scope_stores_left) SELECT 0 WHERE (SELECT COUNT(*) FROM scope_stores WHERE org = ?) > ?").bind(org, most);
}

/** Takes a scope out of its store. */
export function deleteScopeStore(db: D1Database, org: string, scope: string): D1PreparedStatement {
  return db.prepare("DELETE FROM scope_stores WHERE org = ? AND scope = ?").bind(org, scope);
}

/** Aborts the batch with the guard `unchanged` unless a scope is still in the store that was read; `undefined`: in none. */
export function requireScopeStore(
  db: D1Database,
  org: string,
  scope: string,
  was: Pick<ScopeStoreRow, "updated_at" | "seal"> | undefined,
): D1PreparedStatement {
  const there = "EXISTS (SELECT 1 FROM scope_stores WHERE org = ?1 AND scope = ?2";
  if (!was) return db.prepare(`INSERT INTO guard (unchanged) SELECT 0 WHERE ${there})`).bind(org, scope);
  return db.prepare(`INSERT INTO guard (unchanged) SELECT 0 WHERE NOT ${there} AND updated_at = ?3 AND seal IS ?4)`).bind(org, scope, was.updated_at, was.seal);
}

/** Aborts the batch with the guard `store_in_use` where another scope has keys of the store that begin with the prefix, or a prefix that it begins with. */
export function requirePrefix(db: D1Database, { org, scope, store, prefix }: Pick<ScopeStoreRow, "org" | "scope" | "store" | "prefix">): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO guard (store_in_use) SELECT 0 WHERE EXISTS (SELECT 1 FROM scope_stores WHERE org = ?1 AND store = ?2 AND scope <> ?3
         AND (substr(prefix, 1, length(?4)) = ?4 OR substr(?4, 1, length(prefix)) = prefix))`,
    )
    .bind(org, store, scope, prefix);
}

/** Aborts the batch with the guard `scope_in_store` where one of some scopes is in a store. */
export function requireNoStore(db: D1Database, org: string, scopes: Iterable<string>): D1PreparedStatement {
  return db
    .prepare("INSERT INTO guard (scope_in_store) SELECT 0 WHERE EXISTS (SELECT 1 FROM json_each(?2) j JOIN scope_stores s ON s.org = ?1 AND s.scope = j.value)")
    .bind(org, JSON.stringify([...new Set(scopes)]));
}

/** Aborts the batch with the guard `scope_in_store` where one of some versions of a secret has its value in the store of the secret's scope. */
export function requireNoneThere(
  db: D1Database,
  { org, scope, id }: { readonly org: string; readonly scope: string; readonly id: string },
  versions: readonly number[],
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO guard (scope_in_store) SELECT 0 WHERE EXISTS (SELECT 1 FROM scope_stores WHERE org = ?1 AND scope = ?2)
         AND EXISTS (SELECT 1 FROM json_each(?4) j JOIN versions v ON v.secret_id = ?3 AND v.version = j.value WHERE v.is_source)`,
    )
    .bind(org, scope, id, JSON.stringify(versions));
}

/** Aborts the batch with the guard `store_in_use` where a scope is in a store. */
export function requireNoScope(db: D1Database, org: string, store: string): D1PreparedStatement {
  return db.prepare("INSERT INTO guard (store_in_use) SELECT 0 WHERE EXISTS (SELECT 1 FROM scope_stores WHERE org = ? AND store = ?)").bind(org, store);
}
