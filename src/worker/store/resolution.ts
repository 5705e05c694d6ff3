import { MAX_RELEASED } from "../../contract/resolve.ts";
import type { Encoding } from "../../contract/secret.ts";
import { type ScopeSearch, SEARCHED, walkedLinks, withSearch } from "./scope-search.ts";
import { SELECTED_VALUE, type StoredValue } from "./version-columns.ts";

/** What a resolve looks for. It goes to D1 as one JSON parameter, in SQL called `:query`. */
export interface ResolutionQuery extends ScopeSearch {
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

/** What decides of a secret that a search found, with its seal. */
export interface FoundSecret {
  readonly org: string;
  readonly scope: string;
  readonly name: string;
  readonly id: string;
  readonly version: number;
  readonly expires_at: number | null;
  readonly encoding: Encoding;
  readonly seal: string | null;
}

/** The winner of one name, in the scope that `label` names. */
export type Winner = FoundSecret & StoredValue & { readonly label: string; readonly expired: 0 | 1 };

/** A row of what a search finds: a winner, or that there is none. */
export type WinnerRow = {
  /** The scopes that were searched, for `searchedLabels`. */
  readonly searched: string;
  /** The links that the search went by, as JSON ({@link WalkedLink}). */
  readonly links: string;
} & (Winner | { readonly name: null });

/** One scope of a search, and what it holds under one name. */
export type Candidate = { readonly label: string; readonly expired: 0 | 1; readonly links: string } & (
  | (FoundSecret & { readonly kind: string | null })
  | { readonly id: null }
);

const FOUND_BY_NAME = `
  found AS (
    SELECT s.name, w.precedence, w.label, s.org, s.scope, s.id, s.version, s.expires_at, s.seal
    FROM json_each(:query, '$.names') n CROSS JOIN search w CROSS JOIN secrets s ON s.org = w.org AND s.scope = w.scope AND s.name = n.value
  )`;

// A scope holds a name once, and the ranges are disjoint: more rows than the limit means more names than may be released.
const FOUND_ALL = `
  found AS (
    SELECT s.name, w.precedence, w.label, s.org, s.scope, s.id, s.version, s.expires_at, s.seal
    FROM search w CROSS JOIN json_each(:query, '$.name_ranges') r CROSS JOIN secrets s
      ON s.org = w.org AND s.scope = w.scope AND s.name BETWEEN r.value ->> 'from' AND r.value ->> 'to'
    LIMIT (SELECT ${MAX_RELEASED} * COUNT(*) + 1 FROM search)
  )`;

// Of a group, SQLite takes the other columns from the row that has the minimum.
const WINNERS = `
  winners AS (
    SELECT name, MIN(precedence), label, org, scope, id, version, expires_at, seal, COALESCE(expires_at <= :query ->> 'now', 0) AS expired FROM found GROUP BY name
  )`;

function withWinners(query: ResolutionQuery): string {
  return [withSearch(query), query.names ? FOUND_BY_NAME : FOUND_ALL, WINNERS].join(",");
}

function winnersSql(query: ResolutionQuery): string {
  return `${withWinners(query)}
    SELECT w.name, w.label, w.org, w.scope, w.id, w.version, w.expires_at, w.seal, w.expired, v.encoding, ${SELECTED_VALUE}, searched, links
    FROM (SELECT (${SEARCHED}) AS searched, (${walkedLinks(query)}) AS links) LEFT JOIN winners w
    LEFT JOIN versions v ON v.secret_id = w.id AND v.version = w.version
    LIMIT ${MAX_RELEASED + 1}`;
}

const SHARED_ENV_NAMES = `
  WHEN COUNT(*) FILTER (WHERE NOT expired) > COUNT(DISTINCT upper(replace(replace(name, '-', '_'), '.', '_'))) FILTER (WHERE NOT expired) THEN '[]'`;

function releasedSql(query: ResolutionQuery): string {
  return `${withWinners(query)}
    SELECT CASE
      WHEN COUNT(*) > ${MAX_RELEASED} THEN '[]'
      ${query.strict ? "WHEN TOTAL(expired) > 0 OR COUNT(*) < json_array_length(:query, '$.names') THEN '[]'" : ""}
      ${query.distinct_env_names ? SHARED_ENV_NAMES : ""}
      ELSE json_group_array(json_object('id', id, 'name', name, 'scope', label, 'version', version)) FILTER (WHERE NOT expired)
    END AS secrets, MIN(expires_at) FILTER (WHERE NOT expired) AS lease_until FROM winners`;
}

function candidatesSql(query: ResolutionQuery): string {
  return `${withSearch(query)}
    SELECT w.label, s.org, s.scope, s.name, s.id, s.version, s.expires_at, s.seal, v.encoding, v.kind, COALESCE(s.expires_at <= :query ->> 'now', 0) AS expired, (${walkedLinks(query)}) AS links
    FROM search w LEFT JOIN secrets s ON s.org = w.org AND s.scope = w.scope AND s.name = :query ->> '$.names[0]'
    LEFT JOIN versions v ON v.secret_id = s.id AND v.version = s.version
    GROUP BY w.org, w.scope, w.label ORDER BY MIN(w.precedence)`;
}

const SQL = { winners: winnersSql, released: releasedSql, candidates: candidatesSql };

// A resolve sends two of them, and D1 looks them up by their text: made once for each kind of query, without what is only layout.
const made = new Map<string, string>();

function sqlOf(statement: keyof typeof SQL, query: ResolutionQuery, parameter: string): string {
  const key = [statement, parameter, query.scope_limits === null, query.names === null, query.strict, query.distinct_env_names].join();
  const known = made.get(key);
  if (known !== undefined) return known;
  const sql = SQL[statement](query).replaceAll(":query", parameter).replace(/\s+/g, " ").trim();
  made.set(key, sql);
  return sql;
}

/** Selects the winner of each name ({@link WinnerRow}), in no order; one more than may be released at the most. */
export function selectWinners(db: D1Database, query: ResolutionQuery): D1PreparedStatement {
  return db.prepare(sqlOf("winners", query, "?1")).bind(JSON.stringify(query));
}

/** Selects every scope that would be searched for `query.names[0]`, in order, with what it holds ({@link Candidate}). */
export function selectCandidates(db: D1Database, query: ResolutionQuery): D1PreparedStatement {
  return db.prepare(sqlOf("candidates", query, "?1")).bind(JSON.stringify(query));
}

/**
 * What a resolve releases, as the SQL for a SELECT of one row: `secrets`, the JSON array `[{id, name, scope, version}]` of
 * the winners that have not expired, or `[]` when the resolve is refused as a whole; and `lease_until`, when the first of
 * them may not be given any more. It goes into the audit event, in the same transaction that selects the values.
 */
export function releasedSecrets(query: ResolutionQuery): { readonly sql: (parameter: string) => string; readonly parameter: string } {
  return { sql: (parameter) => sqlOf("released", query, parameter), parameter: JSON.stringify(query) };
}
