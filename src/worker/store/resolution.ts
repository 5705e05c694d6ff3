import { MAX_RELEASED } from "../../contract/resolve.ts";
import { SCOPE_KINDS } from "../../contract/scope.ts";
import type { Encoding } from "../../contract/secret.ts";
import { matchesPattern } from "./matches-pattern.ts";
import { SELECTED_VALUE, type StoredValue } from "./version-columns.ts";

/** A scope that a search begins in. */
export interface SearchedScope {
  readonly org: string;
  readonly scope: string;
  /** Where it stands in the search. */
  readonly place: string;
}

/** What a resolve looks for. It goes to D1 as one JSON parameter. */
export interface ResolutionQuery {
  /** The scopes that are searched whatever is declared. */
  readonly scopes: readonly SearchedScope[];
  /** How many declared parents above each of them join the search. */
  readonly depth: number;
  /** Patterns of the scopes that may join; `null` for all. */
  readonly scope_limits: readonly string[] | null;
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

/**
 * Where a scope stands in a search, as text that sorts in the order of the search: the rank of its kind, how far above a
 * given scope it was found, and its label. Each number is one digit.
 */
export function placeOf(rank: number, label: string): string {
  return `${rank}0${label}`;
}

/** The label of a place. */
export function labelAt(place: string): string {
  return place.slice(2);
}

/** The winner of one name, found at `place`. What has expired comes without its value. */
export type Winner = { readonly name: string; readonly place: string; readonly id: string; readonly version: number } & (
  | ({ readonly expired: 0; readonly encoding: Encoding } & StoredValue)
  | { readonly expired: 1 }
);

// Kinds differ in their first letter. A scope that is reached in several ways is here as often; the nearest wins.
const walk = (name: string) => `
  ${name} (org, scope, distance, place) AS (
    SELECT value ->> 'org', value ->> 'scope', 0, value ->> 'place' FROM json_each(?1, '$.scopes')
    UNION ALL
    SELECT w.org, p.parent, w.distance + 1, (instr('${SCOPE_KINDS.map(([letter]) => letter).join("")}', substr(p.parent, 1, 1)) - 1) || (w.distance + 1) || p.parent
    FROM ${name} w JOIN scopes p ON p.org = w.org AND p.scope = w.scope WHERE w.distance < ?1 ->> 'depth' AND p.parent IS NOT NULL
  )`;

const WITHIN_LIMITS = `
  search AS (
    SELECT * FROM walk WHERE distance = 0 OR EXISTS (SELECT 1 FROM json_each(?1, '$.scope_limits') l WHERE ${matchesPattern("scope", "l.value")})
  )`;

function withSearch({ scope_limits }: ResolutionQuery): string {
  return scope_limits === null ? `WITH RECURSIVE ${walk("search")}` : `WITH RECURSIVE ${walk("walk")}, ${WITHIN_LIMITS}`;
}

const FOUND_BY_NAME = `
  found AS (
    SELECT s.name, w.place, s.id, s.version, s.expires_at
    FROM json_each(?1, '$.names') n CROSS JOIN search w CROSS JOIN secrets s ON s.org = w.org AND s.scope = w.scope AND s.name = n.value
  )`;

// A scope holds a name once, and the ranges are disjoint: more rows than the limit means more names than may be released.
const FOUND_ALL = `
  found AS (
    SELECT s.name, w.place, s.id, s.version, s.expires_at
    FROM search w CROSS JOIN json_each(?1, '$.name_ranges') r CROSS JOIN secrets s
      ON s.org = w.org AND s.scope = w.scope AND s.name BETWEEN r.value ->> 'from' AND r.value ->> 'to'
    LIMIT (SELECT ${MAX_RELEASED} * COUNT(*) + 1 FROM search)
  )`;

// Of a group, SQLite takes the other columns from the row that has the minimum.
const WINNERS = `
  winners AS (
    SELECT name, MIN(place) AS place, id, version, COALESCE(expires_at <= ?1 ->> 'now', 0) AS expired FROM found GROUP BY name
  )`;

function withWinners(query: ResolutionQuery): string {
  return [withSearch(query), query.names ? FOUND_BY_NAME : FOUND_ALL, WINNERS].join(",");
}

/** What a resolve finds: a row for each winner, or one row without a winner where there is none. */
export type Found = {
  /** The places that were searched, in no order, some of them twice; a JSON array. */
  readonly searched: string;
} & (Winner | { readonly name: null });

/** Selects the winner of each name ({@link Found}), in no order; one more than may be released at the most. */
export function selectWinners(db: D1Database, query: ResolutionQuery): D1PreparedStatement {
  return db.prepare(statementsFor(query).winners).bind(JSON.stringify(query));
}

/**
 * What a resolve releases, as an SQL expression over parameter 1: the JSON array `[{id, name, scope, version}]` of the
 * winners that have not expired, or `[]` when the resolve is refused as a whole. It goes into the audit event, in the
 * same transaction that selects the values.
 */
export function releasedSecrets(query: ResolutionQuery): { sql: string; parameter: string } {
  return { sql: statementsFor(query).released, parameter: JSON.stringify(query) };
}

interface Statements {
  readonly winners: string;
  readonly released: string;
}

// A resolve sends both, and D1 looks them up by their text: made once for each kind of query, without what is only layout.
const statements = new Map<string, Statements>();

function statementsFor(query: ResolutionQuery): Statements {
  const kind = [query.scope_limits === null, query.names === null, query.strict, query.distinct_env_names].join();
  const known = statements.get(kind);
  if (known) return known;
  const made = { winners: oneLine(winnersSql(query)), released: oneLine(releasedSql(query)) };
  statements.set(kind, made);
  return made;
}

function oneLine(sql: string): string {
  return sql.replace(/\s+/g, " ").trim();
}

function winnersSql(query: ResolutionQuery): string {
  return `${withWinners(query)}
    SELECT w.name, w.place, w.id, w.version, w.expired, v.encoding, ${SELECTED_VALUE}, searched
    FROM (SELECT json_group_array(place) AS searched FROM search) LEFT JOIN winners w
    LEFT JOIN versions v ON v.secret_id = w.id AND v.version = w.version AND NOT w.expired
    LIMIT ${MAX_RELEASED + 1}`;
}

const SHARED_ENV_NAMES = `
  WHEN COUNT(*) FILTER (WHERE NOT expired) > COUNT(DISTINCT upper(replace(replace(name, '-', '_'), '.', '_'))) FILTER (WHERE NOT expired) THEN '[]'`;

function releasedSql(query: ResolutionQuery): string {
  return `${withWinners(query)}
    SELECT CASE
      WHEN COUNT(*) > ${MAX_RELEASED} THEN '[]'
      ${query.strict ? "WHEN TOTAL(expired) > 0 OR COUNT(*) < json_array_length(?1, '$.names') THEN '[]'" : ""}
      ${query.distinct_env_names ? SHARED_ENV_NAMES : ""}
      ELSE json_group_array(json_object('id', id, 'name', name, 'scope', substr(place, 3), 'version', version)) FILTER (WHERE NOT expired)
    END FROM winners`;
}

/** One place of a search, and what it holds under one name. */
export interface Candidate {
  readonly place: string;
  readonly id: string | null;
  readonly version: number | null;
  readonly expired: 0 | 1;
}

/** Selects every place that would be searched for `query.names[0]`, in order, with what it holds ({@link Candidate}). */
export function selectCandidates(db: D1Database, query: ResolutionQuery): D1PreparedStatement {
  return db
    .prepare(
      `${withSearch(query)}
       SELECT MIN(w.place) AS place, s.id, s.version, COALESCE(s.expires_at <= ?1 ->> 'now', 0) AS expired
       FROM search w LEFT JOIN secrets s ON s.org = w.org AND s.scope = w.scope AND s.name = ?1 ->> '$.names[0]'
       GROUP BY substr(w.place, 3) ORDER BY 1`,
    )
    .bind(JSON.stringify(query));
}
