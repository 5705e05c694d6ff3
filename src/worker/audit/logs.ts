/** The head of a log with its last links, as D1 has them. */
export interface LogRow {
  readonly org: string;
  readonly head: string | null;
  /** The JWS of the last checkpoint. */
  readonly checkpoint: string | null;
  /** The JWS of the last restore. */
  readonly generation: string | null;
  /** The number of the organization's last revocation, 0 for none. */
  readonly revocation: number;
}

const LAST_REVOCATION = "COALESCE((SELECT MAX(r.n) FROM revocations r WHERE r.org = o.org), 0) AS revocation";

const LINKS = `(SELECT k.jws FROM audit_checkpoints k WHERE k.org = o.org ORDER BY k.number DESC LIMIT 1) AS checkpoint,
  (SELECT g.jws FROM audit_generations g WHERE g.org = o.org ORDER BY g.generation DESC LIMIT 1) AS generation, ${LAST_REVOCATION}`;

/** Selects up to `limit` logs that have a head, after an organization, by it ({@link LogRow}). */
export function selectLogs(db: D1Database, after: string, limit: number): D1PreparedStatement {
  return db.prepare(`SELECT o.org, o.jws AS head, ${LINKS} FROM audit_heads o WHERE o.org > ? ORDER BY o.org LIMIT ?`).bind(after, limit);
}

/** The same of logs whose head was written since a time. */
export function selectLogsSince(db: D1Database, since: number, after: string, limit: number): D1PreparedStatement {
  return db
    .prepare(`SELECT o.org, o.jws AS head, ${LINKS} FROM audit_heads o WHERE o.tried_at >= ? AND o.org > ? ORDER BY o.org LIMIT ?`)
    .bind(since, after, limit);
}

/** The same of one organization; its head is `null` where there is none. */
export function selectLog(db: D1Database, org: string): D1PreparedStatement {
  return db.prepare(`SELECT o.org, (SELECT h.jws FROM audit_heads h WHERE h.org = o.org) AS head, ${LINKS} FROM (SELECT ? AS org) o`).bind(org);
}

/** A head without its links. */
export type HeadOnly = Pick<LogRow, "org" | "head" | "revocation">;

/** Selects up to `limit` heads, after an organization, by it ({@link HeadOnly}). */
export function selectHeads(db: D1Database, after: string, limit: number): D1PreparedStatement {
  return db.prepare(`SELECT o.org, o.jws AS head, ${LAST_REVOCATION} FROM audit_heads o WHERE o.org > ? ORDER BY o.org LIMIT ?`).bind(after, limit);
}

/** Selects the organizations that are anywhere in D1 and have no head ({@link HeadOnly}). It reads some rows for each. */
export function selectHeadless(db: D1Database, limit: number): D1PreparedStatement {
  const orgsOf = (table: string) => `SELECT org FROM (
      WITH RECURSIVE orgs (org) AS (
        SELECT MIN(org) FROM ${table}
        UNION ALL SELECT (SELECT MIN(t.org) FROM ${table} t WHERE t.org > o.org) FROM orgs o WHERE o.org IS NOT NULL
      ) SELECT org FROM orgs WHERE org IS NOT NULL)`;
  const tables = ["audit_events", "audit_checkpoints", "secrets", "tokens", "trusts"].map(orgsOf).join(" UNION ");
  return db
    .prepare(`SELECT o.org, NULL AS head, ${LAST_REVOCATION} FROM (${tables}) o WHERE o.org NOT IN (SELECT h.org FROM audit_heads h) ORDER BY o.org LIMIT ?`)
    .bind(limit);
}

/** A link of a log by its number. */
export interface NumberedLink {
  readonly org: string;
  readonly checkpoint: string | null;
  readonly generation: string | null;
}

/** Selects the links that logs have at a number: the checkpoint, and the restore that begins a generation there ({@link NumberedLink}). */
export function selectLinks(
  db: D1Database,
  places: readonly { readonly org: string; readonly number: number; readonly generation: number }[],
): D1PreparedStatement {
  return db
    .prepare(
      `SELECT j.value ->> 'org' AS org,
         (SELECT k.jws FROM audit_checkpoints k WHERE k.org = j.value ->> 'org' AND k.number = j.value ->> 'number') AS checkpoint,
         (SELECT g.jws FROM audit_generations g WHERE g.org = j.value ->> 'org' AND g.generation = j.value ->> 'generation' AND g.number = j.value ->> 'number') AS generation
       FROM json_each(?) j`,
    )
    .bind(JSON.stringify(places));
}
