/** What the scheduled run notes for itself, each as one signed statement. */
export type StatementName = "run" | "registry" | "rows";

/** A statement as D1 has it. */
export interface StatementRow {
  readonly jws: string;
}

/** Selects a statement ({@link StatementRow}). */
export function selectStatement(db: D1Database, name: StatementName): D1PreparedStatement {
  return db.prepare("SELECT jws FROM audit_statements WHERE name = ?").bind(name);
}

/** Puts a statement in the place of the one before. */
export function putStatement(db: D1Database, name: StatementName, jws: string): D1PreparedStatement {
  return db.prepare("INSERT INTO audit_statements (name, jws) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET jws = excluded.jws").bind(name, jws);
}
