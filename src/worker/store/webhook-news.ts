import { matchesPattern } from "./matches-pattern.ts";

/** What is looked for, for one webhook. Times are milliseconds since 1970. */
export interface NewsQuery {
  readonly org: string;
  /** After which time, and up to which. */
  readonly from: number;
  readonly to: number;
  /** How long before it expires a secret is expiring. */
  readonly ahead: number;
  /** After which event of the log, and up to which. */
  readonly after: number;
  readonly last: number;
  /** What the grant of its maker covers. */
  readonly scopes: readonly string[] | null;
  readonly names: readonly string[] | null;
}

/** What there is: ids of secrets, minutes with how many calls were refused, and the numbers of events. All of it is JSON. */
export interface NewsRow {
  readonly rotation: string;
  readonly expiring: string;
  readonly expired: string;
  readonly refused: string;
  readonly integrity: string;
}

/** How many secrets or events one message names at the most. */
export const NAMED = 100;

const limit = (column: string, list: string) =>
  `(?1 ->> '${list}' IS NULL OR EXISTS (SELECT 1 FROM json_each(?1, '$.${list}') p WHERE ${matchesPattern(`s.${column}`, "p.value")}))`;
/** What has come to be so since the last look, or is so and was changed since then. */
const secrets = (column: string, shift: string, also = "true") =>
  `(SELECT json_group_array(id) FROM (
     SELECT s.id FROM secrets s WHERE s.org = ?1 ->> 'org' AND s.deleted_at IS NULL AND s.${column} IS NOT NULL AND s.${column} <= (?1 ->> 'to') + ${shift}
       AND (s.${column} > (?1 ->> 'from') + ${shift} OR s.updated_at > ?1 ->> 'from') AND s.updated_at <= ?1 ->> 'to' AND ${also} AND ${limit("scope", "scopes")} AND ${limit("name", "names")}
     ORDER BY s.${column}, s.id LIMIT ${NAMED + 1}))`;
const STRETCH = "FROM audit_events e WHERE e.org = ?1 ->> 'org' AND e.seq > ?1 ->> 'after' AND e.seq <= ?1 ->> 'last'";

/** Selects what there is for a webhook since it was told last ({@link NewsRow}). */
export function selectNews(db: D1Database, query: NewsQuery): D1PreparedStatement {
  return db
    .prepare(
      `SELECT ${secrets("rotation_due_at", "0")} AS rotation, ${secrets("expires_at", "?1 ->> 'ahead'", "s.expires_at > ?1 ->> 'to'")} AS expiring,
         ${secrets("expires_at", "0")} AS expired,
         (SELECT json_group_array(json_array(minute, n)) FROM (SELECT e.at / 60000 AS minute, COUNT(*) AS n ${STRETCH} AND e.outcome = 'denied' AND e.finer_outcome IS NOT 'failed' GROUP BY 1 ORDER BY 1)) AS refused,
         (SELECT json_group_array(seq) FROM (SELECT e.seq ${STRETCH} AND e.action = 'integrity.failed' ORDER BY e.seq LIMIT ${NAMED + 1})) AS integrity`,
    )
    .bind(JSON.stringify(query));
}
