import { MAX_BRIEF } from "../../contract/audit.ts";
import { MAX_RELEASED, MAX_RELEASED_BYTES } from "../../contract/resolve.ts";
import { MAX_VALUE_BYTES, type StoredEncoding } from "../../contract/secret.ts";
import { envNameOf } from "./env-names.ts";
import { REVISION_JSON } from "./scope-revisions.ts";
import { EMPTY, type ScopeSearch, SEARCHED, WALKED_LINKS, withSearch } from "./scope-search.ts";
import { SELECTED_ENCODING, SELECTED_VALUE, type StoredValue } from "./version-columns.ts";

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
  /** The one scope that was asked for; `null` for none, or several. */
  readonly only_scope: string | null;
  /** The scope that is read as one object; `null` where it is not. */
  readonly object: string | null;
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
  /** What is found is there: both are `null`, and sealed so. */
  readonly deleted_at: number | null;
  readonly deleted_until: number | null;
  /** Whether it may become a variable. */
  readonly variable: 0 | 1;
  /** Where its value may go, as JSON. */
  readonly hosts: string;
  readonly hosts_brought: 0 | 1;
  readonly encoding: StoredEncoding;
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
    /** When the current version was made, in milliseconds since 1970. */
    readonly set_at: number;
  };

/** A row of what a search finds: a winner, or that there is none. */
export type WinnerRow = {
  /** The scopes that were searched, for `searchedLabels`. */
  readonly searched: string;
  /** The links that the search went by, as JSON ({@link WalkedLink}). */
  readonly links: string;
  /** The scopes asked for that nobody has declared or used, as JSON. */
  readonly empty: string;
  /** How the scope is that is read as one object, as JSON ({@link ScopeRevision}); `null` where it never was written, or none is. */
  readonly object: string | null;
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
const DECIDING =
  "s.org, s.scope, s.id, s.version, s.expires_at, s.locked, s.max_lease_seconds, s.deleted_at, s.deleted_until, s.variable, s.hosts, s.hosts_brought, s.seal";

const FOUND_BY_NAME = `
  found AS (
    SELECT s.name, w.precedence, w.label, ${DECIDING}
    FROM json_each(:query, '$.names') n CROSS JOIN search w CROSS JOIN secrets s INDEXED BY secrets_in_scope ON s.org = w.org AND s.scope = w.scope AND s.name = n.value AND s.deleted_at IS NULL
  )`;

// A scope holds a name once, and the ranges are disjoint: more rows than the limit means more names than may be released.
const FOUND_ALL = `
  found AS (
    SELECT s.name, w.precedence, w.label, ${DECIDING}
    FROM search w CROSS JOIN json_each(:query, '$.name_ranges') r CROSS JOIN secrets s INDEXED BY secrets_in_scope
      ON s.org = w.org AND s.scope = w.scope AND s.name BETWEEN r.value ->> 'from' AND r.value ->> 'to' AND s.deleted_at IS NULL
    LIMIT (SELECT ${MAX_RELEASED} * COUNT(*) + 1 FROM search)
  )`;

// Of a group, SQLite takes the other columns from the row that has the minimum, or the maximum: the nearest scope that has
// the name, and the widest that locks it.
const DECIDED = `
  locks AS (
    SELECT s.name, MAX(l.precedence) AS precedence, l.label, ${DECIDING}
    FROM locking l CROSS JOIN (SELECT DISTINCT name FROM found) f CROSS JOIN secrets s INDEXED BY secrets_locked ON s.org = l.org AND s.scope = l.scope AND s.name = f.name AND s.locked = 1 AND s.deleted_at IS NULL
    GROUP BY s.name
  ),
  decided AS (
    SELECT *, NOT EXISTS (SELECT 1 FROM search w WHERE w.org = locks.org AND w.scope = locks.scope) AS outside FROM locks
    UNION ALL
    SELECT * FROM (SELECT s.name, MIN(s.precedence) AS precedence, s.label, ${DECIDING}, 0 FROM found s WHERE s.name NOT IN (SELECT name FROM locks) GROUP BY s.name)
  )`;

const EXPIRED = "COALESCE(expires_at <= :query ->> 'now', 0) AS expired";
const WINNERS = `winners AS (SELECT *, ${EXPIRED}, 0 AS skipped, 0 AS shadowed FROM decided)`;

// Of the names that become one variable (what is to become none is not among them) the one in the widest scope that locks its name has it, or else the one in the most
// specific scope; also where it has expired: nothing else takes its place.
const FIRST_OF_VARIABLE = "NOT locked, CASE WHEN locked THEN precedence END DESC, precedence, name";
const WINNERS_OF_VARIABLES = `
  variables AS (SELECT *, ${EXPIRED}, ${envNameOf("name")} AS env_name FROM decided),
  winners AS (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY env_name, variable ORDER BY ${FIRST_OF_VARIABLE}) > 1 AND variable AS shadowed,
      NOT variable OR env_name IN (SELECT value FROM json_each(:query, '$.reserved.names'))
        OR EXISTS (SELECT 1 FROM json_each(:query, '$.reserved.prefixes') r WHERE substr(env_name, 1, length(r.value)) = r.value) AS skipped
    FROM variables
  )`;

const SELECTED_OBJECT = `(SELECT ${REVISION_JSON} FROM scope_revisions r WHERE r.org = :query ->> 'org' AND r.scope = :query ->> 'object')`;

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
    SELECT w.name, w.label, w.org, w.scope, w.id, w.version, w.expires_at, w.locked, w.max_lease_seconds, w.deleted_at, w.deleted_until, w.variable, w.hosts, w.hosts_brought, w.seal, w.expired, w.skipped, w.shadowed, w.outside,
      ${SELECTED_ENCODING}, v.created_at AS set_at, ${selectedValue(query)}, searched, links, empty, object
    FROM (SELECT (${SEARCHED}) AS searched, (${WALKED_LINKS}) AS links, (${EMPTY}) AS empty, ${query.object === null ? "NULL" : SELECTED_OBJECT} AS object) LEFT JOIN winners w
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

/** SQL for what was asked for by name and is not there, of how many bytes it may have. A name that has expired, or is locked, is there. */
const absentSql = (room: string) => `(SELECT json_group_array(json(entry)) FROM (
    SELECT entry, ROW_NUMBER() OVER (ORDER BY key) AS place, SUM(length(entry) + 1) OVER (ORDER BY key ROWS UNBOUNDED PRECEDING) AS size FROM (
      SELECT key, json_object('id', NULL, 'name', value, 'scope', :query ->> 'only_scope', 'version', NULL) AS entry
      FROM json_each(:query, '$.names') WHERE value NOT IN (SELECT name FROM winners)
    )
  ) WHERE place <= ${MAX_BRIEF} AND size < ${room})`;
const ABSENT_TOTAL = "json_array_length(:query, '$.names') - COUNT(*)";

/** When what is not there is all that an event is about: where that refuses the resolve, and where nothing of it is there. */
function isAllAbsent({ strict }: ResolutionQuery): string {
  return strict ? `${ABSENT_TOTAL} > 0` : "COUNT(*) = 0";
}

function releasedSql(query: ResolutionQuery, room: string): string {
  const absent = query.names ? `CASE WHEN ${isAllAbsent(query)} THEN ${absentSql(room)} END` : "NULL";
  const sized = mayBeTooLarge(query);
  return `${withWinners(query)}
    SELECT CASE
      WHEN COUNT(*) > ${MAX_RELEASED} THEN '[]'
      ${query.names ? "WHEN TOTAL(outside) > 0 THEN '[]'" : ""}
      ${query.strict ? "WHEN TOTAL(expired) > 0 OR COUNT(*) < json_array_length(:query, '$.names') THEN '[]'" : ""}
      ${sized ? `WHEN TOTAL(v.size) FILTER (WHERE ${RELEASED}) > ${MAX_RELEASED_BYTES} THEN '[]'` : ""}
      ELSE json_group_array(json_object('id', w.id, 'name', w.name, 'scope', w.label, 'version', w.version)) FILTER (WHERE ${RELEASED})
    END AS secrets, MIN(${LEASE_END}) FILTER (WHERE ${RELEASED}) AS lease_until, ${absent} AS absent, ${query.names ? ABSENT_TOTAL : 0} AS absent_total, ${query.strict ? 1 : 0} AS refused
    FROM winners w ${sized ? "LEFT JOIN versions v ON v.secret_id = w.id AND v.version = w.version" : ""}`;
}

function partlyAbsentSql(query: ResolutionQuery, room: string): string {
  return `${withWinners(query)}
    SELECT '[]' AS secrets, NULL AS lease_until, ${absentSql(room)} AS absent, ${ABSENT_TOTAL} AS absent_total, 0 AS refused
    FROM winners w HAVING COUNT(*) > 0 AND ${ABSENT_TOTAL} > 0`;
}

function candidatesSql(query: ResolutionQuery): string {
  return `${withSearch(query)},
    reached AS (SELECT w.org, w.scope, w.label, MIN(w.precedence) AS precedence, EXISTS (SELECT 1 FROM search f WHERE f.org = w.org AND f.scope = w.scope) AS inside FROM walk w GROUP BY w.org, w.scope, w.label)
    SELECT w.label, NOT w.inside AS outside, s.name, ${DECIDING}, ${SELECTED_ENCODING}, v.kind, COALESCE(s.expires_at <= :query ->> 'now', 0) AS expired, (${WALKED_LINKS}) AS links
    FROM reached w LEFT JOIN secrets s INDEXED BY secrets_in_scope ON s.org = w.org AND s.scope = w.scope AND s.name = :query ->> '$.names[0]' AND s.deleted_at IS NULL
    LEFT JOIN versions v ON v.secret_id = s.id AND v.version = s.version
    WHERE w.inside OR s.locked = 1 ORDER BY w.precedence`;
}

const SQL = { winners: winnersSql, released: releasedSql, partlyAbsent: partlyAbsentSql, candidates: candidatesSql };

// A resolve sends two of them, and D1 looks them up by their text: made once for each kind of query, without what is only layout.
const made = new Map<string, string>();

function sqlOf(statement: keyof typeof SQL, query: ResolutionQuery, parameter: string, room = ""): string {
  const kind = [query.scope_limits === null, query.names === null, query.strict, query.reserved === null, query.object === null, mayBeTooLarge(query)];
  const key = [statement, parameter, room, ...kind].join();
  const known = made.get(key);
  if (known !== undefined) return known;
  const sql = SQL[statement](query, room).replaceAll(":query", parameter).replace(/\s+/g, " ").trim();
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
 * `lease_until`, when the first of them may not be given any more; and what was asked for instead and is not there
 * (`ComputedSecrets`). It goes into the audit event, in the same transaction that selects the values.
 *
 */
export function releasedSecrets(query: ResolutionQuery): EventSql {
  return { sql: (parameter, room) => sqlOf("released", query, parameter, room), parameter: JSON.stringify(query) };
}

/** The same of what is not there beside what is, for an event of its own: no row where all is there, or nothing. */
export function partlyAbsent(query: ResolutionQuery): EventSql {
  return { sql: (parameter, room) => sqlOf("partlyAbsent", query, parameter, room), parameter: JSON.stringify(query) };
}

interface EventSql {
  readonly sql: (parameter: string, room: string) => string;
  readonly parameter: string;
}
