import { SELECT_SECRETS } from "./secret-rows.ts";

/** A range of texts, both ends included, in the order of their bytes. */
export interface TextRange {
  readonly from: string;
  readonly to: string;
}

/** A range of scopes, and the kind when the range is all of that kind. */
export type ScopeRange = TextRange & { readonly kind: string | null };

/** Which secrets of an organization are listed. It goes to D1 as one JSON parameter. */
export interface SecretFilter {
  readonly org: string;
  /** Disjoint ranges of names. */
  readonly names: readonly TextRange[];
  /** Disjoint ranges of scopes; `null` for everywhere. */
  readonly scopes: readonly ScopeRange[] | null;
  readonly label?: { readonly key: string; readonly value: string } | undefined;
  readonly due?: "rotation" | "expiry" | undefined;
  /** Whether what was deleted and can come back is listed, and nothing else. */
  readonly deleted: boolean;
  /** Those whose current value is lost. */
  readonly state?: "lost" | undefined;
  /** The list goes on after this name and scope. */
  readonly after?: { readonly name: string; readonly scope: string } | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly limit: number;
}

/** Selects up to `filter.limit` secrets ({@link SecretRow}), by name, then scope. */
export function selectSecrets(db: D1Database, filter: SecretFilter): D1PreparedStatement {
  const found = filter.state || filter.due || filter.deleted ? selectAll(filter) : slicesOf(filter).join(" UNION ALL ");
  return db
    .prepare(
      `WITH found (id, name, scope) AS (${found}), page (id) AS (SELECT id FROM found ORDER BY name, scope LIMIT ?1 ->> 'limit')
       ${SELECT_SECRETS} JOIN page ON page.id = s.id ORDER BY s.name, s.scope`,
    )
    .bind(JSON.stringify({ ...filter, names: filter.names.map((range) => startAfter(filter.after, range)) }));
}

/** A range that begins after a position of the list: of its first name only the scopes after `beyond`. */
function startAfter(after: SecretFilter["after"], range: TextRange): TextRange & { readonly beyond: string } {
  return after && after.name >= range.from ? { from: after.name, beyond: after.scope, to: range.to } : { ...range, beyond: "" };
}

const WITHIN_NAME = "(x.name, x.scope) > (r.value ->> 'from', r.value ->> 'beyond') AND x.name <= r.value ->> 'to'";
const WITHIN_SCOPES = "x.scope BETWEEN p.value ->> 'from' AND p.value ->> 'to'";
const NAMES = "json_each(?1, '$.names') r";
const WHOLE_KINDS = "(SELECT value FROM json_each(?1, '$.scopes') WHERE value ->> 'kind' IS NOT NULL) p";
const SCOPES = `(SELECT c.scope FROM json_each(?1, '$.scopes') p CROSS JOIN scopes c
  ON c.org = ?1 ->> 'org' AND c.scope BETWEEN p.value ->> 'from' AND p.value ->> 'to' AND c.secrets > 0 WHERE p.value ->> 'kind' IS NULL) c`;

// Each slice (a range of names, everywhere or in one kind or scope) is read through its index, in the order of the
// list and no further than one page: so the rows read depend on the page, and not on how many secrets there are.
function slicesOf(filter: SecretFilter): string[] {
  const from = filter.label ? FROM_LABELS : FROM_SECRETS;
  if (filter.scopes === null) return [slice(NAMES, from.everywhere)];
  return [slice(`${WHOLE_KINDS} CROSS JOIN ${NAMES}`, from.kind), slice(`${SCOPES} CROSS JOIN ${NAMES}`, from.scope)];
}

const FROM_SECRETS = {
  everywhere: "SELECT x.id, x.name, x.scope FROM secrets x INDEXED BY secrets_there_by_name WHERE x.deleted_at IS NULL",
  kind: "SELECT x.id, x.name, x.scope FROM secrets x INDEXED BY secrets_there_by_kind WHERE x.deleted_at IS NULL AND x.kind = p.value ->> 'kind'",
  scope: "SELECT x.id, x.name, x.scope FROM secrets x INDEXED BY secrets_in_scope WHERE x.deleted_at IS NULL AND x.scope = c.scope",
};

const LABELLED = "x.key = ?1 ->> '$.label.key' AND x.value = ?1 ->> '$.label.value'";
const FROM_LABELS = {
  everywhere: `SELECT x.secret_id AS id, x.name, x.scope FROM secret_labels x WHERE ${LABELLED}`,
  kind: `SELECT x.secret_id AS id, x.name, x.scope FROM secret_labels x INDEXED BY secret_labels_by_kind WHERE ${LABELLED} AND x.kind = p.value ->> 'kind'`,
  scope: `SELECT x.secret_id AS id, x.name, x.scope FROM secret_labels x INDEXED BY secret_labels_by_scope WHERE ${LABELLED} AND x.scope = c.scope`,
};

function slice(each: string, select: string): string {
  return `SELECT j.value ->> 0, j.value ->> 1, j.value ->> 2 FROM ${each} CROSS JOIN json_each((
    SELECT json_group_array(json_array(id, name, scope)) FROM (
      ${select} AND x.org = ?1 ->> 'org' AND ${WITHIN_NAME} ORDER BY x.name, x.scope LIMIT ?1 ->> 'limit'))) j`;
}

const DUE = { expiry: ["secrets_there_by_expiry", "x.expires_at"], rotation: ["secrets_there_by_rotation", "x.rotation_due_at"] } as const;

const LOST =
  "EXISTS (SELECT 1 FROM lost_values l JOIN versions v USING (secret_id, version) WHERE l.secret_id = x.id AND l.version = x.version AND v.kv_key IS NOT NULL)";

/** Where those are that {@link selectAll} goes through. */
function fromOf({ due, deleted }: SecretFilter): string {
  if (deleted) return "secrets x INDEXED BY secrets_deleted";
  return due
    ? `secrets x INDEXED BY ${DUE[due][0]}`
    : "(SELECT DISTINCT secret_id FROM lost_values WHERE org = ?1 ->> 'org') o CROSS JOIN secrets x ON x.id = o.secret_id";
}

// What is due, and what can come back, changes with the time, and what is lost with every look at it, so no index has it in
// the order of the list: all of it is read, and sorted.
function selectAll(filter: SecretFilter): string {
  const { due, state, deleted, scopes, label } = filter;
  const conditions = [
    `x.org = ?1 ->> 'org' AND ${deleted ? "x.deleted_at IS NOT NULL AND x.deleted_until > ?1 ->> 'now'" : "x.deleted_at IS NULL"}`,
    due ? ` AND ${DUE[due][1]} <= ?1 ->> 'now'` : "",
    state ? ` AND ${LOST}` : "",
    ` AND EXISTS (SELECT 1 FROM ${NAMES} WHERE ${WITHIN_NAME})`,
    scopes ? ` AND EXISTS (SELECT 1 FROM json_each(?1, '$.scopes') p WHERE ${WITHIN_SCOPES})` : "",
    label ? ` AND EXISTS (SELECT 1 FROM json_each(x.labels) l WHERE l.key = ?1 ->> '$.label.key' AND l.value = ?1 ->> '$.label.value')` : "",
  ];
  return `SELECT x.id, x.name, x.scope FROM ${fromOf(filter)} WHERE ${conditions.join("")}`;
}
