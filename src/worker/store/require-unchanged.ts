/** What tells a row by its name from the one that it was. */
interface NamedRow {
  readonly revision: number;
  readonly updated_at: number;
  readonly seal: string | null;
}

/** Aborts the batch with the guard `unchanged` when a row is no longer there as it was read; `undefined` for one that was not there. */
export function requireUnchanged(
  db: D1Database,
  table: "services" | "stores" | "trusts" | "webhooks",
  org: string,
  name: string,
  was: NamedRow | undefined,
): D1PreparedStatement {
  const changed = was
    ? `NOT EXISTS (SELECT 1 FROM ${table} WHERE org = ?1 AND name = ?2 AND revision = ?3 AND updated_at = ?4 AND seal IS ?5)`
    : `EXISTS (SELECT 1 FROM ${table} WHERE org = ?1 AND name = ?2)`;
  const statement = db.prepare(`INSERT INTO guard (unchanged) SELECT 0 WHERE ${changed}`);
  return was ? statement.bind(org, name, was.revision, was.updated_at, was.seal) : statement.bind(org, name);
}
