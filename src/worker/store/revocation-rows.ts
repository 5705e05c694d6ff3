import { decidingColumns } from "./sealed-tables.ts";

/**
 * What a revocation takes out of force; see the migration for the `value` of each. A `floor` takes nothing: it says which
 * are still kept ({@link Floor}).
 */
export type RevocationKind = "id" | "trust-revision" | "subject" | "before" | "floor";

/** What is not in force any more, as D1 has it. */
export interface RevocationRow {
  readonly org: string;
  /** Numbered without gaps within an organization. */
  readonly n: number;
  readonly kind: RevocationKind;
  readonly value: string;
  readonly at: number;
  readonly seal: string;
}

/** What revocations go by, of one token. It goes to D1 as JSON, in SQL called `:token`. */
export interface TokenMarks {
  readonly org: string;
  /** The token's id, by which it may have a row. */
  readonly id: string;
  /** Whether it says that it has one. */
  readonly has_row: boolean;
  /** What takes it out of force: kinds and values of revocations. */
  readonly marks: readonly (readonly [kind: RevocationKind, value: string])[];
  /** Seconds since 1970. */
  readonly issued_at: number;
}

const columnsAsJson = (table: "tokens" | "revocations" | "quotas", alias: string) =>
  `json_object(${[...decidingColumns(table), "seal"].map((column) => `'${column}', ${alias}.${column}`).join(", ")})`;

const ORG = ":token ->> 'org'";
const OWN_ROW = `FROM tokens t WHERE t.id = :token ->> 'id' AND t.org = ${ORG}`;
const MARKED = `FROM json_each(:token, '$.marks') m CROSS JOIN revocations r ON r.org = ${ORG} AND r.kind = m.value ->> 0 AND r.value = m.value ->> 1`;
const BEFORE = `FROM revocations r WHERE r.org = ${ORG} AND r.kind = 'before' AND CAST(r.value AS INTEGER) >= :token ->> 'issued_at'`;

/** SQL for whether a token is not in force, of the SQL for its {@link TokenMarks} as JSON. */
export function notInForce(token: string): string {
  return `EXISTS (SELECT 1 ${MARKED}) OR EXISTS (SELECT 1 ${BEFORE}) OR EXISTS (SELECT 1 ${OWN_ROW} AND t.revoked_at IS NOT NULL)
    OR (:token ->> 'has_row' AND NOT EXISTS (SELECT 1 ${OWN_ROW}))`.replaceAll(":token", token);
}

/** What decides whether a token is in force, as JSON. */
export interface StandingRow {
  /** Its own row, or `null` for none. */
  readonly token: string | null;
  /** The revocations that take it out of force. */
  readonly revocations: string;
  /** The organization's last revocation, or `null` for none. */
  readonly last: string | null;
  /** The organization's own quotas, or `null` for none. */
  readonly quotas: string | null;
  /** Whether a restore is under way. */
  readonly restoring: number;
}

/** Selects what decides whether a token is in force ({@link StandingRow}). */
export function selectStanding(db: D1Database, token: TokenMarks): D1PreparedStatement {
  const revocation = columnsAsJson("revocations", "r");
  const sql = `SELECT (SELECT ${columnsAsJson("tokens", "t")} ${OWN_ROW}) AS token,
    (SELECT json_group_array(json(x.row)) FROM (SELECT ${revocation} AS row ${MARKED} UNION ALL SELECT ${revocation} ${BEFORE} LIMIT 10) x) AS revocations,
    (SELECT ${revocation} FROM revocations r WHERE r.org = ${ORG} ORDER BY r.n DESC LIMIT 1) AS last,
    (SELECT ${columnsAsJson("quotas", "q")} FROM quotas q WHERE q.org = ${ORG}) AS quotas,
    EXISTS (SELECT 1 FROM restores) AS restoring`;
  return db.prepare(sql.replaceAll(":token", "?1")).bind(JSON.stringify(token));
}

/** Aborts the batch with the guard `token_in_force` when the token is not in force. */
export function requireInForce(db: D1Database, token: TokenMarks): D1PreparedStatement {
  return db.prepare(`INSERT INTO guard (token_in_force) SELECT 0 WHERE ${notInForce("?1")}`).bind(JSON.stringify(token));
}

/** Aborts the batch with the guard `token_unchanged` when the token's own row has not this seal any more, `null` for none. */
export function requireTokenSeal(db: D1Database, { org, id }: TokenMarks, seal: string | null): D1PreparedStatement {
  return db.prepare("INSERT INTO guard (token_unchanged) SELECT 0 WHERE (SELECT seal FROM tokens WHERE id = ? AND org = ?) IS NOT ?").bind(id, org, seal);
}

/** Selects an organization's last revocation ({@link RevocationRow}). */
export function selectLastRevocation(db: D1Database, org: string): D1PreparedStatement {
  return db.prepare("SELECT * FROM revocations WHERE org = ? ORDER BY n DESC LIMIT 1").bind(org);
}

/**
 * Selects the revocations that there are of what is to be revoked ({@link RevocationRow}): of a time one that is not before
 * it, the earliest.
 */
export function selectCovering(
  db: D1Database,
  org: string,
  revoked: readonly { readonly kind: RevocationKind; readonly value: string }[],
): D1PreparedStatement {
  const latest = Math.max(...revoked.flatMap(({ kind, value }) => (kind === "before" ? [Number(value)] : [])));
  return db
    .prepare(
      `SELECT r.* FROM json_each(?2) j CROSS JOIN revocations r ON r.org = ?1 AND r.kind = j.value ->> 'kind' AND r.value = j.value ->> 'value'
       UNION SELECT * FROM (SELECT r.* FROM revocations r WHERE r.org = ?1 AND r.kind = 'before' AND CAST(r.value AS INTEGER) >= ?3 ORDER BY CAST(r.value AS INTEGER) LIMIT 1)`,
    )
    .bind(org, JSON.stringify(revoked), Number.isFinite(latest) ? latest : null);
}

/** Inserts revocations after the one with the number `after`; aborts the batch with the guard `revocations_unchanged` when that is not the last one any more. */
export function insertRevocations(db: D1Database, org: string, after: number, rows: readonly RevocationRow[]): D1PreparedStatement[] {
  return [
    db.prepare("INSERT INTO guard (revocations_unchanged) SELECT 0 WHERE COALESCE((SELECT MAX(n) FROM revocations WHERE org = ?), 0) <> ?").bind(org, after),
    db
      .prepare(
        `INSERT INTO revocations (org, n, kind, value, at, seal)
         SELECT j.value ->> 'org', j.value ->> 'n', j.value ->> 'kind', j.value ->> 'value', j.value ->> 'at', j.value ->> 'seal' FROM json_each(?) j`,
      )
      .bind(JSON.stringify(rows)),
  ];
}

/**
 * What a `floor` says: the lowest number that is still kept, and, where numbers were left out before it because a restore
 * may have lost them, the last one before those.
 */
export interface Floor {
  readonly lowest: number;
  readonly after: number | null;
}

/** A floor's value: `<lowest>`, or `<lowest>,<after>`. */
export function floorValue({ lowest, after }: Floor): string {
  return after === null ? String(lowest) : `${lowest},${after}`;
}

/** What the value of a floor says. */
export function parseFloor(value: string): Floor {
  const [lowest = "", after] = value.split(",");
  return { lowest: Number(lowest), after: after === undefined ? null : Number(after) };
}

/** Selects the floors of organizations ({@link RevocationRow}). */
export function selectFloors(db: D1Database, orgs: readonly string[]): D1PreparedStatement {
  return db
    .prepare("SELECT r.* FROM json_each(?) o CROSS JOIN revocations r ON r.org = o.value AND r.kind = 'floor' ORDER BY r.org, r.n")
    .bind(JSON.stringify(orgs));
}

/** Selects an organization's first revocations ({@link RevocationRow}). */
export function selectFirstRevocations(db: D1Database, org: string, limit: number): D1PreparedStatement {
  return db.prepare("SELECT * FROM revocations WHERE org = ? ORDER BY n LIMIT ?").bind(org, limit);
}

/** A token with a row lives for a year at the most, and is listed for a week more. In milliseconds, with a day to spare. */
export const REVOCATION_KEPT = 374 * 86_400_000;
/** SQL for whether a revocation `r` is of a single token that is long gone. The last one of an organization always stays. */
export const OLD_REVOCATION = `r.at < ?1 - ${REVOCATION_KEPT} AND r.kind = 'id' AND r.value NOT LIKE '[%'
  AND r.n < (SELECT MAX(l.n) FROM revocations l WHERE l.org = r.org)`;

/** Selects up to `limit` organizations that have such revocations, but for some, as `org`. */
export function selectOldRevocations(db: D1Database, now: number, except: readonly string[], limit: number): D1PreparedStatement {
  return db
    .prepare(`SELECT DISTINCT r.org FROM revocations r WHERE ${OLD_REVOCATION} AND r.org NOT IN (SELECT value FROM json_each(?2)) LIMIT ?3`)
    .bind(now, JSON.stringify(except), limit);
}

/** Deletes an organization's revocations below a number. */
export function deleteRevocations(db: D1Database, org: string, below: number): D1PreparedStatement {
  return db.prepare("DELETE FROM revocations WHERE org = ? AND n < ?").bind(org, below);
}
