import { BUILTIN, SCOPE_KINDS, type ScopeKind } from "../../contract/scope.ts";
import { matchesPattern } from "./matches-pattern.ts";

/** A scope that a search begins in. */
export interface SearchedScope {
  readonly org: string;
  readonly scope: string;
  /** What the scope is called in replies and events: its own name, or `builtin`. */
  readonly label: string;
  /** See {@link rankOf}. */
  readonly rank: number;
}

/** Which scopes are searched. It goes to D1 as one JSON parameter, in SQL called `:query`. */
export interface ScopeSearch {
  /** Whose declared parents are searched. */
  readonly org: string;
  /** The scopes that are searched whatever is declared. */
  readonly scopes: readonly SearchedScope[];
  /** How many declared parents above each of them join the search. */
  readonly depth: number;
  /** Patterns of the scopes that may join; `null` for all. */
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
const walk = (name: string) => `
  ${name} (org, scope, label, distance, precedence, child, seal) AS (
    SELECT value ->> 'org', value ->> 'scope', value ->> 'label', 0, ${precedence("value ->> 'rank'", "0", "value ->> 'label'")}, NULL, NULL FROM json_each(:query, '$.scopes')
    UNION ALL
    SELECT w.org, p.parent, p.parent, w.distance + 1, ${precedence(PARENT_RANK, "w.distance + 1", "p.parent")}, p.scope, p.seal
    FROM ${name} w JOIN scopes p ON p.org = w.org AND p.scope = w.scope WHERE w.distance < :query ->> 'depth' AND p.parent IS NOT NULL
  )`;

const WITHIN_LIMITS = `
  search AS (
    SELECT * FROM walk WHERE distance = 0 OR EXISTS (SELECT 1 FROM json_each(:query, '$.scope_limits') l WHERE ${matchesPattern("scope", "l.value")})
  )`;

/**
 * SQL for the table `search (org, scope, label, distance, precedence)`: the scopes that are searched, in the order of
 * `precedence`. To be followed by other tables or a statement.
 */
export function withSearch({ scope_limits }: ScopeSearch): string {
  return scope_limits === null ? `WITH RECURSIVE ${walk("search")}` : `WITH RECURSIVE ${walk("walk")}, ${WITHIN_LIMITS}`;
}

/** SQL for the links that the search went by ({@link WalkedLink}), as JSON: also those to scopes that may not join. */
export function walkedLinks({ scope_limits }: ScopeSearch): string {
  const table = scope_limits === null ? "search" : "walk";
  return `SELECT json_group_array(json_object('org', org, 'scope', child, 'parent', scope, 'seal', seal)) FROM ${table} WHERE distance > 0`;
}

/** A scope that a search came to from one below it. */
export interface WalkedLink {
  readonly org: string;
  readonly scope: string;
  readonly parent: string;
  readonly seal: string | null;
}

/** SQL for the scopes of the table `search` as {@link searchedLabels} reads them. */
export const SEARCHED = "SELECT json_group_array(json_array(precedence, label)) FROM search";

/** The labels of the scopes that were searched, in the order of the search. */
export function searchedLabels(searched: string): string[] {
  const scopes = JSON.parse(searched) as [precedence: string, label: string][];
  return [...new Set(scopes.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, label]) => label))];
}
