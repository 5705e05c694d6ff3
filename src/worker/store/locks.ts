import type { FoundSecret } from "./resolution.ts";
import { type ScopeSearch, WALKED_LINKS, withSearch } from "./scope-search.ts";
import { SELECTED_ENCODING } from "./version-columns.ts";

/** Names that are to be set in a scope, which is the first of `scopes`. It goes to D1 as one JSON parameter, in SQL called `:query`. */
export interface LockQuery extends ScopeSearch {
  readonly names: readonly string[];
}

/** A lock on one of the names in a scope above, or that there is none. */
export type LockRow = {
  /** The links that the walk went by, as JSON. */
  readonly links: string;
} & ((FoundSecret & { readonly kind: string | null; readonly label: string }) | { readonly name: null });

/** SQL for the locks above the scope: its own are none to itself. */
const LOCKS = `FROM locking l CROSS JOIN json_each(:query, '$.names') n CROSS JOIN secrets s INDEXED BY secrets_locked
  ON s.org = l.org AND s.scope = l.scope AND s.name = n.value AND s.locked = 1 AND s.deleted_at IS NULL
  AND NOT (l.org = :query ->> '$.scopes[0].org' AND l.scope = :query ->> '$.scopes[0].scope')`;

function sqlOf(sql: string): string {
  return sql.replaceAll(":query", "?1").replace(/\s+/g, " ").trim();
}

/** Aborts the batch with the guard `name_unlocked` when a scope above has locked one of the names. */
export function requireUnlocked(db: D1Database, query: LockQuery): D1PreparedStatement {
  return db.prepare(sqlOf(`INSERT INTO guard (name_unlocked) SELECT 0 WHERE EXISTS (${withSearch(query)} SELECT 1 ${LOCKS})`)).bind(JSON.stringify(query));
}

/** Selects the locks that scopes above have on the names ({@link LockRow}), with what decides of them. */
export function selectLocks(db: D1Database, query: LockQuery): D1PreparedStatement {
  const locks = `SELECT l.label, s.name, s.org, s.scope, s.id, s.version, s.expires_at, s.locked, s.max_lease_seconds, s.deleted_at, s.deleted_until, s.variable, s.hosts, s.hosts_brought, s.seal, ${SELECTED_ENCODING}, v.kind
    ${LOCKS} LEFT JOIN versions v ON v.secret_id = s.id AND v.version = s.version`;
  return db
    .prepare(sqlOf(`${withSearch(query)} SELECT links, k.* FROM (SELECT (${WALKED_LINKS}) AS links) LEFT JOIN (${locks}) k`))
    .bind(JSON.stringify(query));
}
