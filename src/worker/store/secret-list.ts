import { SELECT_SECRETS } from "./secret-rows.ts";

/** Which secrets of an organization are listed. */
export interface SecretFilter {
  readonly org: string;
  readonly scope?: string | undefined;
  readonly kind?: string | undefined;
  /** Disjoint ranges of names, both ends included. */
  readonly nameRanges: readonly { readonly from: string; readonly to: string }[];
  readonly label?: { readonly key: string; readonly value: string } | undefined;
  readonly due?: "rotation" | "expiry" | undefined;
  /** Patterns of the scopes that may be seen; `null` for all. */
  readonly scopeLimits: readonly string[] | null;
  /** The list goes on after this name and scope. */
  readonly after?: { readonly name: string; readonly scope: string } | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly limit: number;
}

// Each slice (a range of names, within a scope where the grant names scopes) is read through an index, in the order
// of the list and no further than one page: so the rows read depend on the page, and not on how many secrets there are.
const SLICES = {
  all: "json_each(?1, '$.nameRanges') r",
  scopes: `(SELECT c.scope FROM scopes c WHERE c.org = ?1 ->> 'org'
      AND EXISTS (SELECT 1 FROM json_each(?1, '$.scopeLimits') l WHERE c.scope GLOB l.value)) c CROSS JOIN json_each(?1, '$.nameRanges') r`,
};

/** Selects up to `filter.limit` secrets ({@link SecretRow}), by name, then scope. */
export function selectSecrets(db: D1Database, filter: SecretFilter): D1PreparedStatement {
  const perScope = filter.scope === undefined && filter.scopeLimits !== null;
  return db
    .prepare(
      `WITH page (id) AS (
         SELECT j.value FROM ${perScope ? SLICES.scopes : SLICES.all}
           CROSS JOIN json_each((SELECT json_group_array(id) FROM (${slice(filter, perScope)}))) j
       )
       ${SELECT_SECRETS} JOIN page ON page.id = s.id ORDER BY s.name, s.scope LIMIT ?1 ->> 'limit'`,
    )
    .bind(JSON.stringify(filter));
}

function slice({ scope, kind, label, due, after }: SecretFilter, perScope: boolean): string {
  const source = label ? "secret_labels x JOIN secrets f ON f.id = x.secret_id" : "secrets x";
  const row = label ? "f" : "x";
  const conditions = [
    "x.org = ?1 ->> 'org' AND x.name BETWEEN r.value ->> 'from' AND r.value ->> 'to'",
    perScope && "x.scope = c.scope",
    scope !== undefined && "x.scope = ?1 ->> 'scope'",
    kind !== undefined && `${row}.kind = ?1 ->> 'kind'`,
    label && "x.key = ?1 ->> '$.label.key' AND x.value = ?1 ->> '$.label.value'",
    due === "expiry" && `${row}.expires_at <= ?1 ->> 'now'`,
    due === "rotation" && `${row}.rotation_due_at <= ?1 ->> 'now'`,
    after && "(x.name, x.scope) > (?1 ->> '$.after.name', ?1 ->> '$.after.scope')",
  ];
  const where = conditions.filter((condition) => typeof condition === "string").join(" AND ");
  return `SELECT ${row}.id FROM ${source} WHERE ${where} ORDER BY x.name, x.scope LIMIT ?1 ->> 'limit'`;
}
