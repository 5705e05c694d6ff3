import { MAX_RELEASED } from "../../contract/resolve.ts";
import { MAX_DEPTH } from "../../contract/scope.ts";
import type { Encoding } from "../../contract/secret.ts";
import { matchesPattern } from "./matches-pattern.ts";
import type { StoredValue } from "./secret-rows.ts";

/** What a resolve looks for. It goes to D1 as one JSON parameter. */
export interface ResolutionQuery {
  readonly org: string;
  /** The organization whose `global` secrets are `builtin`, or `null`. */
  readonly platform: string | null;
  /** The scopes given, at most one of each kind. */
  readonly scopes: readonly string[];
  /** Whether declared parents, `global` and `builtin` join the search. */
  readonly inherit: boolean;
  /** Patterns of the scopes that may be searched; `["*"]` for all. */
  readonly scope_limits: readonly string[];
  /** The names looked for, or `null` for all in `name_ranges`. */
  readonly names: readonly string[] | null;
  /** Disjoint ranges of names, both ends included. Only looked at when `names` is `null`. */
  readonly name_ranges: readonly { from: string; to: string }[];
  /** Whether a name that is missing or expired means that nothing is released. */
  readonly strict: boolean;
  /** Whether two secrets with one environment name mean that nothing is released. */
  readonly distinct_env_names: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** The winner of one name. `label` is its scope, or `builtin`. What has expired comes without its value. */
export type Winner = { readonly name: string; readonly label: string; readonly id: string; readonly version: number; readonly encoding: Encoding } & (
  | ({ readonly expired: 0 } & StoredValue)
  | { readonly expired: 1 }
);

// The scopes to search in order: most specific kind first; among scopes of one kind the nearest to a given one.
const SEARCH = `
  kinds (kind, rank) AS (VALUES ('repo', 0), ('agent', 1), ('namespace', 2), ('team', 3), ('global', 4)),
  walk (scope, distance) AS (
    SELECT value, 0 FROM json_each(?1, '$.scopes')
    UNION
    SELECT 'global', 0 WHERE ?1 ->> 'inherit'
    UNION
    SELECT p.parent, w.distance + 1 FROM walk w JOIN scopes p ON p.org = ?1 ->> 'org' AND p.scope = w.scope
    WHERE ?1 ->> 'inherit' AND p.parent IS NOT NULL AND w.distance < ${MAX_DEPTH}
  ),
  reached (org, scope, label, rank, distance) AS (
    SELECT ?1 ->> 'org', w.scope, w.scope, k.rank, MIN(w.distance)
    FROM walk w JOIN kinds k ON k.kind = substr(w.scope, 1, instr(w.scope || ':', ':') - 1) GROUP BY w.scope
    UNION ALL
    SELECT ?1 ->> 'platform', 'global', 'builtin', 5, 0 WHERE ?1 ->> 'inherit' AND ?1 ->> 'platform' IS NOT NULL
  ),
  search (place, org, scope, label) AS (
    SELECT ROW_NUMBER() OVER (ORDER BY rank, distance, scope), org, scope, label FROM reached
    WHERE EXISTS (SELECT 1 FROM json_each(?1, '$.scope_limits') l WHERE ${matchesPattern("label", "l.value")})
  )`;

const FOUND_BY_NAME = `
  found AS (
    SELECT s.name, search.place, search.label, s.id, s.version, s.expires_at
    FROM json_each(?1, '$.names') n CROSS JOIN search CROSS JOIN secrets s ON s.org = search.org AND s.scope = search.scope AND s.name = n.value
  )`;

// A scope holds a name once, and the ranges are disjoint: more rows than the limit means more names than may be released.
const FOUND_ALL = `
  found AS (
    SELECT s.name, search.place, search.label, s.id, s.version, s.expires_at
    FROM search CROSS JOIN json_each(?1, '$.name_ranges') r CROSS JOIN secrets s
      ON s.org = search.org AND s.scope = search.scope AND s.name BETWEEN r.value ->> 'from' AND r.value ->> 'to'
    LIMIT (SELECT ${MAX_RELEASED} * COUNT(*) + 1 FROM search)
  )`;

// Of a group, SQLite takes the other columns from the row that has the minimum.
const WINNERS = `
  winners AS (
    SELECT name, MIN(place) AS place, label, id, version, expires_at IS NOT NULL AND expires_at <= ?1 ->> 'now' AS expired FROM found GROUP BY name
  )`;

function withWinners(query: ResolutionQuery): string {
  return `WITH RECURSIVE ${[SEARCH, query.names ? FOUND_BY_NAME : FOUND_ALL, WINNERS].join(",")}`;
}

// What has expired comes without its value.
const VALUES = ["key_id", "wrapped_key", "ciphertext", "kv_key", "legacy_plaintext"]
  .map((column) => `IIF(w.expired, NULL, v.${column}) AS ${column}`)
  .join(", ");

/** Selects the winner of each name ({@link Winner}), by name; one more than may be released at the most. */
export function selectWinners(db: D1Database, query: ResolutionQuery): D1PreparedStatement {
  return db
    .prepare(
      `${withWinners(query)}
       SELECT w.name, w.label, w.id, w.version, w.expired, v.encoding, ${VALUES}
       FROM winners w CROSS JOIN versions v ON v.secret_id = w.id AND v.version = w.version
       ORDER BY w.name LIMIT ${MAX_RELEASED + 1}`,
    )
    .bind(JSON.stringify(query));
}

/**
 * What a resolve releases, as an SQL expression over parameter 1: the JSON array `[{id, name, scope, version}]` of the
 * winners that have not expired, or `[]` when the resolve is refused as a whole. It goes into the audit event, in the
 * same transaction that selects the values. `returning` is the JSON array of the searched scopes' labels, in order.
 */
export function releasedSecrets(query: ResolutionQuery): { sql: string; parameter: string; returning: string } {
  const sql = `${withWinners(query)}
    SELECT CASE
      WHEN COUNT(*) > ${MAX_RELEASED} THEN '[]'
      WHEN ?1 ->> 'strict' AND COUNT(*) FILTER (WHERE NOT expired) < MAX(COUNT(*), COALESCE(json_array_length(?1, '$.names'), 0)) THEN '[]'
      WHEN ?1 ->> 'distinct_env_names' AND COUNT(*) FILTER (WHERE NOT expired)
        > COUNT(DISTINCT upper(replace(replace(name, '-', '_'), '.', '_'))) FILTER (WHERE NOT expired) THEN '[]'
      ELSE json_group_array(json_object('id', id, 'name', name, 'scope', label, 'version', version)) FILTER (WHERE NOT expired)
    END FROM (SELECT * FROM winners ORDER BY name)`;
  const returning = `WITH RECURSIVE ${SEARCH} SELECT json_group_array(label) FROM (SELECT label FROM search ORDER BY place)`;
  return { sql, parameter: JSON.stringify(query), returning };
}

/** One scope of a search, and what it holds under one name. */
export interface Candidate {
  readonly label: string;
  readonly id: string | null;
  readonly version: number | null;
  readonly expired: 0 | 1;
}

/** Selects every scope that would be searched for `query.names[0]`, in order, with what it holds ({@link Candidate}). */
export function selectCandidates(db: D1Database, query: ResolutionQuery): D1PreparedStatement {
  return db
    .prepare(
      `WITH RECURSIVE ${SEARCH}
       SELECT search.label, s.id, s.version, COALESCE(s.expires_at <= ?1 ->> 'now', 0) AS expired
       FROM search LEFT JOIN secrets s ON s.org = search.org AND s.scope = search.scope AND s.name = ?1 ->> '$.names[0]'
       ORDER BY search.place`,
    )
    .bind(JSON.stringify(query));
}
