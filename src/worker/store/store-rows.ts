/** A store of values outside, as D1 has it. `definition` is JSON. */
export interface StoreRow {
  readonly org: string;
  readonly name: string;
  /** Counts its changes. */
  readonly revision: number;
  readonly definition: string;
  readonly created_at: number;
  readonly created_by: string;
  readonly updated_at: number;
  readonly updated_by: string;
  readonly seal: string | null;
}

/** Selects an organization's store of a name ({@link StoreRow}). */
export function selectStore(db: D1Database, org: string, name: string): D1PreparedStatement {
  return db.prepare("SELECT * FROM stores WHERE org = ? AND name = ?").bind(org, name);
}

/** Selects up to `limit` stores of an organization after the one that is named `after`, by name ({@link StoreRow}). */
export function selectStores(db: D1Database, org: string, after: string, limit: number): D1PreparedStatement {
  return db.prepare("SELECT * FROM stores WHERE org = ? AND name > ? ORDER BY name LIMIT ?").bind(org, after, limit);
}

/** Inserts a store, or replaces all of it. */
export function upsertStore(db: D1Database, s: StoreRow): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO stores (org, name, revision, definition, created_at, created_by, updated_at, updated_by, seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (org, name) DO UPDATE SET revision = excluded.revision, definition = excluded.definition,
         created_at = excluded.created_at, created_by = excluded.created_by, updated_at = excluded.updated_at, updated_by = excluded.updated_by, seal = excluded.seal`,
    )
    .bind(s.org, s.name, s.revision, s.definition, s.created_at, s.created_by, s.updated_at, s.updated_by, s.seal);
}

/** Deletes a store. */
export function deleteStoreRow(db: D1Database, org: string, name: string): D1PreparedStatement {
  return db.prepare("DELETE FROM stores WHERE org = ? AND name = ?").bind(org, name);
}
