import { matchesPattern } from "./matches-pattern.ts";
import { SELECT_SECRETS } from "./secret-rows.ts";

/** Which secrets of an organization are listed. Patterns end in `*` or are literal; `null` means no limit. */
export interface SecretFilter {
  readonly org: string;
  readonly scope?: string | undefined;
  readonly kind?: string | undefined;
  readonly name?: string | undefined;
  readonly prefix?: string | undefined;
  readonly label?: { readonly key: string; readonly value: string } | undefined;
  readonly due?: "rotation" | "expiry" | undefined;
  readonly scopeLimits: readonly string[] | null;
  readonly nameLimits: readonly string[] | null;
  /** The list goes on after this name and scope. */
  readonly after?: { readonly name: string; readonly scope: string } | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

interface Condition {
  readonly sql: string;
  readonly values: readonly (string | number)[];
}

/** Selects up to `limit` secrets ({@link SecretRow}), by name, then scope. */
export function selectSecrets(db: D1Database, filter: SecretFilter, limit: number): D1PreparedStatement {
  const conditions = conditionsOf(filter);
  return db
    .prepare(`${SELECT_SECRETS} WHERE ${conditions.map(({ sql }) => sql).join(" AND ")} ORDER BY s.name, s.scope LIMIT ?`)
    .bind(...conditions.flatMap(({ values }) => values), limit);
}

function conditionsOf(filter: SecretFilter): Condition[] {
  const { org, scope, kind, name, prefix, label, due, after, now } = filter;
  const conditions: (Condition | undefined)[] = [
    { sql: "s.org = ?", values: [org] },
    given(scope, (value) => ({ sql: "s.scope = ?", values: [value] })),
    given(kind, (value) => ({ sql: "s.kind = ?", values: [value] })),
    given(name, (value) => ({ sql: "s.name = ?", values: [value] })),
    // Names are ASCII and '~' comes after every character of theirs.
    given(prefix, (value) => ({ sql: "s.name BETWEEN ? AND ?", values: [value, `${value}~`] })),
    given(label, ({ key, value }) => ({ sql: "EXISTS (SELECT 1 FROM json_each(s.labels) l WHERE l.key = ? AND l.value = ?)", values: [key, value] })),
    given(due, (value) => ({ sql: value === "expiry" ? "s.expires_at <= ?" : "s.rotation_due_at <= ?", values: [now] })),
    given(filter.scopeLimits, (limits) => within("s.scope", limits)),
    given(filter.nameLimits, (limits) => within("s.name", limits)),
    given(after, (last) => ({ sql: "(s.name, s.scope) > (?, ?)", values: [last.name, last.scope] })),
  ];
  return conditions.filter((condition) => condition !== undefined);
}

function given<T>(value: T | null | undefined, condition: (value: T) => Condition): Condition | undefined {
  return value === undefined || value === null ? undefined : condition(value);
}

function within(column: string, limits: readonly string[]): Condition {
  return { sql: `EXISTS (SELECT 1 FROM json_each(?) p WHERE ${matchesPattern(column, "p.value")})`, values: [JSON.stringify(limits)] };
}
