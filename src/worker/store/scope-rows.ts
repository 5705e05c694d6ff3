import { MAX_DEPTH } from "../../contract/scope.ts";
import type { TextRange } from "./secret-list.ts";

/** A scope that is declared or in use. */
export interface ScopeRow {
  readonly org: string;
  readonly scope: string;
  readonly parent: string | null;
  readonly secrets: number;
  /** Over the organization, the scope and its parent; a scope without a parent needs none. */
  readonly seal: string | null;
}

/** Selects one scope ({@link ScopeRow}). */
export function selectScope(db: D1Database, org: string, scope: string): D1PreparedStatement {
  return db.prepare("SELECT org, scope, parent, secrets, seal FROM scopes WHERE org = ? AND scope = ?").bind(org, scope);
}

/** Selects up to `limit` scopes within disjoint ranges ({@link ScopeRow}), by name. Each range is read no further than one page. */
export function selectScopes(db: D1Database, org: string, ranges: readonly TextRange[], limit: number): D1PreparedStatement {
  return db
    .prepare(
      `SELECT ?1 AS org, j.value ->> 0 AS scope, j.value ->> 1 AS parent, j.value ->> 2 AS secrets, j.value ->> 3 AS seal FROM json_each(?2) r CROSS JOIN json_each((
         SELECT json_group_array(json_array(scope, parent, secrets, seal)) FROM (
           SELECT scope, parent, secrets, seal FROM scopes WHERE org = ?1 AND scope BETWEEN r.value ->> 'from' AND r.value ->> 'to'
           ORDER BY scope LIMIT ?3))) j
       ORDER BY scope LIMIT ?3`,
    )
    .bind(org, JSON.stringify(ranges), limit);
}

/** Sets a scope's parent. Follow it with {@link requireTree}. */
export function linkScope(db: D1Database, { org, scope, parent, seal }: Omit<ScopeRow, "secrets">): D1PreparedStatement {
  return db
    .prepare(
      "INSERT INTO scopes (org, scope, parent, seal) VALUES (?, ?, ?, ?) ON CONFLICT (org, scope) DO UPDATE SET parent = excluded.parent, seal = excluded.seal",
    )
    .bind(org, scope, parent, seal);
}

/** Aborts the batch with the guard `scope_tree` when a scope is above itself, or a chain through it has more than {@link MAX_DEPTH} links. */
export function requireTree(db: D1Database, org: string, scope: string): D1PreparedStatement {
  return db
    .prepare(
      `WITH RECURSIVE
       up (scope, links) AS (
         SELECT ?2, 0 UNION ALL
         SELECT s.parent, up.links + 1 FROM up JOIN scopes s ON s.org = ?1 AND s.scope = up.scope WHERE s.parent IS NOT NULL AND up.links <= ${MAX_DEPTH}
       ),
       down (scope, links) AS (
         SELECT ?2, 0 UNION ALL
         SELECT s.scope, down.links + 1 FROM down JOIN scopes s ON s.org = ?1 AND s.parent = down.scope WHERE down.links <= ${MAX_DEPTH}
       )
       INSERT INTO guard (scope_tree) SELECT 0
       WHERE EXISTS (SELECT 1 FROM up WHERE scope = ?2 AND links > 0) OR (SELECT MAX(links) FROM up) + (SELECT MAX(links) FROM down) > ${MAX_DEPTH}`,
    )
    .bind(org, scope);
}

/** Removes a scope's parent, and the scope itself if it holds no secret. */
export function unlinkScope(db: D1Database, org: string, scope: string): D1PreparedStatement[] {
  return [
    db.prepare("UPDATE scopes SET parent = NULL, seal = NULL WHERE org = ? AND scope = ?").bind(org, scope),
    db.prepare("DELETE FROM scopes WHERE org = ? AND scope = ? AND secrets = 0").bind(org, scope),
  ];
}

/** Aborts the batch with the guard `unchanged` unless a scope still lies under the same one, with the same seal. */
export function requireLink(db: D1Database, { org, scope, parent, seal }: Omit<ScopeRow, "secrets">): D1PreparedStatement {
  return db
    .prepare("INSERT INTO guard (unchanged) SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM scopes WHERE org = ? AND scope = ? AND parent IS ? AND seal IS ?)")
    .bind(org, scope, parent, seal);
}
