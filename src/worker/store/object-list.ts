import type { TextRange } from "./secret-list.ts";

/** One level of the paths of scopes: what comes after `from`, up to the next `/`. It goes to D1 as one JSON parameter. */
export interface Level {
  readonly org: string;
  /** With what the scopes begin. */
  readonly from: string;
  /** Where the scopes are. */
  readonly range: TextRange;
  /** The list goes on after this key. */
  readonly after: string;
  /** What becomes of repositories whose path begins with a word of a kind. */
  readonly ambiguous: "only" | "never" | "also";
  readonly limit: number;
}

/** SQL for whether a scope is a repository whose path begins with a word of a kind, as the index has it (migration 0031). */
const ambiguous = (scope: string) =>
  `${scope} >= 'repo:' AND ${scope} < 'repo;' AND lower(substr(${scope}, 6, instr(substr(${scope}, 6) || '/', '/') - 1)) IN ('global', 'builtin', 'team', 'namespace', 'agent', 'repo')`;

/** SQL for the key of a scope on its level: up to the next `/`, with that. */
const keyOf = (scope: string) => {
  const rest = `substr(${scope}, length(?1 ->> 'from') + 1)`;
  return `substr(${rest}, 1, IIF(instr(${rest}, '/') > 0, instr(${rest}, '/'), length(${rest})))`;
};

/**
 * Selects up to `limit` keys of a level, in order (`{ key }`). Each is looked up by itself, after all that is below the one
 * before: what is read depends on the keys, and not on how many scopes are below them.
 */
export function listLevel(db: D1Database, level: Level): D1PreparedStatement {
  const [index, only] = level.ambiguous === "only" ? ["INDEXED BY scope_revisions_ambiguous", `AND ${ambiguous("n.scope")}`] : ["", ""];
  // One lower bound and no other: the index is entered there.
  const next = (from: string) =>
    `(SELECT MIN(n.scope) FROM scope_revisions n ${index} WHERE n.org = ?1 ->> 'org' AND n.scope >= ${from} AND n.scope <= ?1 ->> '$.range.to' ${only})`;
  const never = level.ambiguous === "never" ? `AND NOT (${ambiguous("scope")})` : "";
  const key = keyOf("level.scope");
  return db
    .prepare(
      `WITH RECURSIVE level (scope) AS (
         SELECT ${next("?2")} UNION ALL SELECT ${next(`(?1 ->> 'from') || ${key} || IIF(${key} LIKE '%/', '~', '!')`)} FROM level WHERE level.scope IS NOT NULL
       )
       SELECT ${key} AS key FROM level WHERE scope IS NOT NULL ${never} LIMIT ?1 ->> 'limit'`,
    )
    .bind(JSON.stringify(level), startOf(level));
}

/** Where a level goes on: "~" comes after each character of a scope, so after everything in a folder, and "!" before each. */
function startOf({ from, after, range }: Level): string {
  const start = after === "" ? from : from + after + (after.endsWith("/") ? "~" : "!");
  return start > range.from ? start : range.from;
}

/** Selects a row where there is any scope within ranges. */
export function selectAnyIn(db: D1Database, org: string, ranges: readonly TextRange[]): D1PreparedStatement {
  return db
    .prepare(
      `SELECT 1 AS found FROM json_each(?2) r WHERE EXISTS (
         SELECT 1 FROM scope_revisions n WHERE n.org = ?1 AND n.scope BETWEEN r.value ->> 'from' AND r.value ->> 'to') LIMIT 1`,
    )
    .bind(org, JSON.stringify(ranges));
}

/** The same of repositories whose path begins with a word of a kind. */
export function selectAnyAmbiguous(db: D1Database, org: string, ranges: readonly TextRange[]): D1PreparedStatement {
  return db
    .prepare(
      `SELECT 1 AS found FROM json_each(?2) r WHERE EXISTS (
         SELECT 1 FROM scope_revisions n INDEXED BY scope_revisions_ambiguous
         WHERE n.org = ?1 AND n.scope BETWEEN r.value ->> 'from' AND r.value ->> 'to' AND ${ambiguous("n.scope")}) LIMIT 1`,
    )
    .bind(org, JSON.stringify(ranges));
}
