import { BUILTIN, GLOBAL, MAX_DEPTH, SCOPE_KINDS, type ScopeKind } from "../../contract/scope.ts";
import { matchesPattern } from "./matches-pattern.ts";

/** A scope that a walk begins in. */
export interface SearchedScope {
  readonly org: string;
  readonly scope: string;
  /** What the scope is called in replies and events: its own name, or `builtin`. */
  readonly label: string;
  /** See {@link rankOf}. */
  readonly rank: number;
  /** Whether it is searched. Where not, only what it and its declared parents lock is looked up. */
  readonly searched: boolean;
}

/** Which scopes are walked through, and searched. It goes to D1 as one JSON parameter, in SQL called `:query`. */
export interface ScopeSearch {
  readonly org: string;
  /** Where the walk begins. From there it goes through all declared parents: what they lock counts, whatever is searched. */
  readonly scopes: readonly SearchedScope[];
  /** Whether the declared parents of scopes that are searched join the search. */
  readonly inherit: boolean;
  /** Patterns of the parents that may join; `null` for all. */
  readonly scope_limits: readonly string[] | null;
}

/** The kinds of scopes in the order of a search, then what is built in. */
const RANKED: readonly (ScopeKind | typeof BUILTIN)[] = [...SCOPE_KINDS, BUILTIN];

/** When scopes of a kind are searched: those of a lower rank come first. */
export function rankOf(kind: ScopeKind | typeof BUILTIN): number {
  return RANKED.indexOf(kind);
}

const CASES = RANKED.map((kind) => `WHEN '${kind}' THEN ${rankOf(kind)}`).join(" ");
/** SQL for the rank of a parent's kind, which is what is before the colon; one of no kind comes last. */
const PARENT_RANK = `CASE substr(p.parent, 1, instr(p.parent || ':', ':') - 1) ${CASES} ELSE ${RANKED.length} END`;

/** SQL for text that sorts in the order of a search: by rank, then by distance, then by label. */
const precedence = (rank: string, distance: string, label: string) => `(1000 + 100 * (${rank}) + ${distance}) || (${label})`;

// A scope that is reached in several ways is here as often; the nearest wins.
const WALK = `
  walk (org, scope, label, distance, precedence, searched, child, seal) AS (
    SELECT value ->> 'org', value ->> 'scope', value ->> 'label', 0, ${precedence("value ->> 'rank'", "0", "value ->> 'label'")}, value ->> 'searched', NULL, NULL FROM json_each(:query, '$.scopes')
    UNION ALL
    SELECT w.org, p.parent, p.parent, w.distance + 1, ${precedence(PARENT_RANK, "w.distance + 1", "p.parent")}, w.searched, p.scope, p.seal
    FROM walk w JOIN scopes p ON p.org = w.org AND p.scope = w.scope WHERE w.distance < ${MAX_DEPTH} AND p.parent IS NOT NULL
  )`;

const WITHIN_LIMITS = `EXISTS (SELECT 1 FROM json_each(:query, '$.scope_limits') l WHERE ${matchesPattern("scope", "l.value")})`;

// Without any lock there, as it mostly is, nothing is looked up by name.
const LOCKING = `
  locking AS (
    SELECT org, scope, label, MIN(precedence) AS precedence FROM walk w
    WHERE EXISTS (SELECT 1 FROM secrets s INDEXED BY secrets_locked WHERE s.org = w.org AND s.scope = w.scope AND s.locked = 1 AND s.deleted_at IS NULL) GROUP BY org, scope
  )`;

/**
 * SQL for two tables, to be followed by others or a statement: `search (org, scope, label, distance, precedence)`, the
 * scopes that are searched, in the order of `precedence`; and `locking (org, scope, label, precedence)`, those of the walk
 * that lock any name at all.
 */
export function withSearch({ scope_limits }: ScopeSearch): string {
  const joins = scope_limits === null ? ":query ->> 'inherit'" : `:query ->> 'inherit' AND ${WITHIN_LIMITS}`;
  return `WITH RECURSIVE ${WALK}, search AS (SELECT * FROM walk WHERE searched AND (distance = 0 OR (${joins}))), ${LOCKING}`;
}

/** SQL for the links that the walk went by ({@link WalkedLink}), as JSON: also those to scopes that are not searched. */
export const WALKED_LINKS = "SELECT json_group_array(json_object('org', org, 'scope', child, 'parent', scope, 'seal', seal)) FROM walk WHERE distance > 0";

/** A scope that a search came to from one below it. */
export interface WalkedLink {
  readonly org: string;
  readonly scope: string;
  readonly parent: string;
  readonly seal: string | null;
}

/** SQL for the scopes where the search began that nobody has declared or used, as JSON: most likely misspelled. Only what the caller named, within its grant. */
export const EMPTY = `
  SELECT json_group_array(label) FROM search e WHERE e.distance = 0 AND e.label NOT IN ('${GLOBAL}', '${BUILTIN}')
    AND NOT EXISTS (SELECT 1 FROM scopes u WHERE u.org = e.org AND u.scope = e.scope)
    AND NOT EXISTS (SELECT 1 FROM scopes c WHERE c.org = e.org AND c.parent = e.scope)`;

/** SQL for the scopes of the table `search` as {@link searchedLabels} reads them. */
export const SEARCHED = "SELECT json_group_array(json_array(precedence, label)) FROM search";

/** The labels of the scopes that were searched, in the order of the search. */
export function searchedLabels(searched: string): string[] {
  const scopes = JSON.parse(searched) as [precedence: string, label: string][];
  return [...new Set(scopes.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, label]) => label))];
}
