import { MAX_RELEASED, MAX_RELEASED_BYTES } from "../../contract/resolve.ts";
import { type Encoding, MAX_VALUE_BYTES } from "../../contract/secret.ts";
import { EMPTY, type ScopeSearch, SEARCHED, WALKED_LINKS, withSearch } from "./scope-search.ts";
import { SELECTED_VALUE, type StoredValue } from "./version-columns.ts";

/** What a resolve looks for. It goes to D1 as one JSON parameter, in SQL called `:query`. */
export interface ResolutionQuery extends ScopeSearch {
  /** The names looked for, or `null` for all in `name_ranges`. */
  readonly names: readonly string[] | null;
  /** Disjoint ranges of names, both ends included. Only looked at when `names` is `null`. */
  readonly name_ranges: readonly { from: string; to: string }[];
  /** Whether a name that is missing or expired means that nothing is released. */
  readonly strict: boolean;
  /** The variables that no secret may become; `null` where what is released becomes none. */
  readonly reserved: { readonly names: readonly string[]; readonly prefixes: readonly string[] } | null;
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
  readonly locked: 0 | 1;
  readonly max_lease_seconds: number | null;
  readonly encoding: Encoding;
  readonly seal: string | null;
}

/** The winner of one name, in the scope that `label` names. */
export type Winner = FoundSecret &
  StoredValue & {
    readonly label: string;
    readonly expired: 0 | 1;
    /** Whether its variable is reserved. */
    readonly skipped: 0 | 1;
    /** Whether another winner, in a more specific scope or a locked one, becomes the same variable. */
    readonly shadowed: 0 | 1;
    /** Whether it is a lock in a scope that is not searched: then the name has no value. */
    readonly outside: 0 | 1;
  };

/** A row of what a search finds: a winner, or that there is none. */
export type WinnerRow = {
  /** The scopes that were searched, for `searchedLabels`. */
  readonly searched: string;
  /** The links that the search went by, as JSON ({@link WalkedLink}). */
  readonly links: string;
  /** The scopes asked for that nobody has declared or used, as JSON. */
  readonly empty: string;
} & (Winner | { readonly name: null });

/** One scope of a search, and what it holds under one name. */
export type Candidate = {
  readonly label: string;
  readonly expired: 0 | 1;
  /** Whether the scope is not searched: it is here because it locks the name. */
  readonly outside: 0 | 1;
  readonly links: string;
} & ((FoundSecret & { readonly kind: string | null }) | { readonly id: null });

/** The columns of a secret that decide, but for those that its version has. */
const DECIDING = "s.org, s.scope, s.id, s.version, s.expires_at, s.locked, s.max_lease_seconds, s.seal";

const FOUND_BY_NAME = `
  found AS (
    SELECT s.name, w.precedence, w.label, ${DECIDING}
    FROM json_each(:query, '$.names') n CROSS JOIN search w CROSS JOIN secrets s ON s.org = w.org AND s.scope = w.scope AND s.name = n.value
  )`;

// A scope holds a name once, and the ranges are disjoint: more rows than the limit means more names than may be released.
const FOUND_ALL = `
  found AS (
    SELECT s.name, w.precedence, w.label, ${DECIDING}
    FROM search w CROSS JOIN json_each(:query, '$.name_ranges') r CROSS JOIN secrets s
      ON s.org = w.org AND s.scope = w.scope AND s.name BETWEEN r.value ->> 'from' AND r.value ->> 'to'
    LIMIT (SELECT ${MAX_RELEASED} * COUNT(*) + 1 FROM search)
  )`;

// Of a group, SQLite takes the other columns from the row that has the minimum, or the maximum: the nearest scope that has
// the name, and the widest that locks it.
const DECIDED = `
  locks AS (
    SELECT s.name, MAX(l.precedence) AS precedence, l.label, ${DECIDING}
    FROM locking l CROSS JOIN (SELECT DISTINCT name FROM found) f CROSS JOIN secrets s ON s.org = l.org AND s.scope = l.scope AND s.name = f.name AND s.locked = 1
    GROUP BY s.name
  ),
  decided AS (
    SELECT *, NOT EXISTS (SELECT 1 FROM search w WHERE w.org = locks.org AND w.scope = locks.scope) AS outside FROM locks
    UNION ALL
    SELECT * FROM (SELECT s.name, MIN(s.precedence) AS precedence, s.label, ${DECIDING}, 0 FROM found s WHERE s.name NOT IN (SELECT name FROM locks) GROUP BY s.name)
  )`;

const EXPIRED = "COALESCE(expires_at <= :query ->> 'now', 0) AS expired";
const WINNERS = `winners AS (SELECT *, ${EXPIRED}, 0 AS skipped, 0 AS shadowed FROM decided)`;

// Of the names that become one variable the one in the widest scope that locks its name has it, or else the one in the most
// specific scope; also where it has expired: nothing else takes its place.
const FIRST_OF_VARIABLE = "NOT locked, CASE WHEN locked THEN precedence END DESC, precedence, name";
const WINNERS_OF_VARIABLES = `
  variables AS (SELECT *, ${EXPIRED}, upper(replace(replace(name, '-', '_'), '.', '_')) AS variable FROM decided),
  winners AS (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY variable ORDER BY ${FIRST_OF_VARIABLE}) > 1 AS shadowed,
      variable IN (SELECT value FROM json_each(:query, '$.reserved.names'))
        OR EXISTS (SELECT 1 FROM json_each(:query, '$.reserved.prefixes') r WHERE substr(variable, 1, length(r.value)) = r.value) AS skipped
    FROM variables
  )`;

function withWinners(query: ResolutionQuery): string {
  return [withSearch(query), query.names ? FOUND_BY_NAME : FOUND_ALL, DECIDED, query.reserved ? WINNERS_OF_VARIABLES : WINNERS].join(",");
}

/** Inline ciphertexts of an answer that is too large do not even leave D1. */
function selectedValue(query: ResolutionQuery): string {
  if (!mayBeTooLarge(query)) return SELECTED_VALUE;
  const fits = `TOTAL(CASE WHEN w.name IS NOT NULL THEN v.size END) OVER () <= ${MAX_RELEASED_BYTES}`;
  return SELECTED_VALUE.replace("v.ciphertext", `CASE WHEN ${fits} THEN v.ciphertext END AS ciphertext`);
}

function winnersSql(query: ResolutionQuery): string {
  return `${withWinners(query)}
    SELECT w.name, w.label, w.org, w.scope, w.id, w.version, w.expires_at, w.locked, w.max_lease_seconds, w.seal, w.expired, w.skipped, w.shadowed, w.outside,
      v.encoding, ${selectedValue(query)}, searched, links, empty
    FROM (SELECT (${SEARCHED}) AS searched, (${WALKED_LINKS}) AS links, (${EMPTY}) AS empty) LEFT JOIN winners w
    LEFT JOIN versions v ON v.secret_id = w.id AND v.version = w.version
    LIMIT ${MAX_RELEASED + 1}`;
}

/** Later than any time: SQLite's MIN of several is NULL where one is. */
const NEVER = Number.MAX_SAFE_INTEGER;
const LEASE_END = `MIN(COALESCE(expires_at, ${NEVER}), COALESCE((:query ->> 'now') + 1000 * max_lease_seconds, ${NEVER}))`;
const RELEASED = "NOT (expired OR skipped OR shadowed OR outside)";

/** Whether the values of so many names can be too large for one answer. */
function mayBeTooLarge({ names }: ResolutionQuery): boolean {
  return (names?.length ?? MAX_RELEASED) * MAX_VALUE_BYTES > MAX_RELEASED_BYTES;
}

function releasedSql(query: ResolutionQuery): string {
  const sized = mayBeTooLarge(query);
  return `${withWinners(query)}
    SELECT CASE
      WHEN COUNT(*) > ${MAX_RELEASED} THEN '[]'
      ${query.names ? "WHEN TOTAL(outside) > 0 THEN '[]'" : ""}
      ${query.strict ? "WHEN TOTAL(expired) > 0 OR COUNT(*) < json_array_length(:query, '$.names') THEN '[]'" : ""}
      ${sized ? `WHEN TOTAL(v.size) FILTER (WHERE ${RELEASED}) > ${MAX_RELEASED_BYTES} THEN '[]'` : ""}
      ELSE json_group_array(json_object('id', w.id, 'name', w.name, 'scope', w.label, 'version', w.version)) FILTER (WHERE ${RELEASED})
    END AS secrets, MIN(${LEASE_END}) FILTER (WHERE ${RELEASED}) AS lease_until FROM winners w ${sized ? "LEFT JOIN versions v ON v.secret_id = w.id AND v.version = w.version" : ""}`;
}

function candidatesSql(query: ResolutionQuery): string {
  return `${withSearch(query)},
    reached AS (SELECT w.org, w.scope, w.label, MIN(w.precedence) AS precedence, EXISTS (SELECT 1 FROM search f WHERE f.org = w.org AND f.scope = w.scope) AS inside FROM walk w GROUP BY w.org, w.scope, w.label)
    SELECT w.label, NOT w.inside AS outside, s.name, ${DECIDING}, v.encoding, v.kind, COALESCE(s.expires_at <= :query ->> 'now', 0) AS expired, (${WALKED_LINKS}) AS links
    FROM reached w LEFT JOIN secrets s ON s.org = w.org AND s.scope = w.scope AND s.name = :query ->> '$.names[0]'
    LEFT JOIN versions v ON v.secret_id = s.id AND v.version = s.version
    WHERE w.inside OR s.locked = 1 ORDER BY w.precedence`;
}

const SQL = { winners: winnersSql, released: releasedSql, candidates: candidatesSql };

// A resolve sends two of them, and D1 looks them up by their text: made once for each kind of query, without what is only layout.
const made = new Map<string, string>();

function sqlOf(statement: keyof typeof SQL, query: ResolutionQuery, parameter: string): string {
  const kind = [query.scope_limits === null, query.names === null, query.strict, query.reserved === null, mayBeTooLarge(query)];
  const key = [statement, parameter, ...kind].join();
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
 * the winners that have not expired and are not left out as variables, or `[]` when the resolve is refused as a whole; and
 * `lease_until`, when the first of them may not be given any more. It goes into the audit event, in the same transaction
 * that selects the values.
 */
export function releasedSecrets(query: ResolutionQuery): { readonly sql: (parameter: string) => string; readonly parameter: string } {
  return { sql: (parameter) => sqlOf("released", query, parameter), parameter: JSON.stringify(query) };
}
