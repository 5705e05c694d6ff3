/** The end of an organization's sealed log, as D1 has it. What `jws` does not say is not to be relied on. */
export interface HeadRow {
  readonly org: string;
  /** Events up to this one have been removed by retention: what the trigger that keeps events goes by. */
  readonly removed_to: number;
  /** The key that signed. */
  readonly kid: string;
  readonly jws: string;
}

/** Selects the head of an organization's log ({@link HeadRow}). */
export function selectHead(db: D1Database, org: string): D1PreparedStatement {
  return db.prepare("SELECT org, removed_to, kid, jws FROM audit_heads WHERE org = ?").bind(org);
}

/** Puts a head in the place of the one whose JWS is `was`, `null` for none. It changes no row when that is not there any more. */
export function replaceHead(db: D1Database, { org, removed_to, kid, jws }: HeadRow, was: string | null, now: number): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO audit_heads (org, removed_to, kid, jws, tried_at) VALUES (?1, ?2, ?3, ?4, ?6)
       ON CONFLICT (org) DO UPDATE SET removed_to = excluded.removed_to, kid = excluded.kid, jws = excluded.jws, tried_at = excluded.tried_at WHERE jws = ?5`,
    )
    .bind(org, removed_to, kid, jws, was, now);
}

/** Selects the heads of some organizations' logs ({@link HeadRow}). */
export function selectHeads(db: D1Database, orgs: readonly string[]): D1PreparedStatement {
  return db.prepare("SELECT org, removed_to, kid, jws FROM audit_heads WHERE org IN (SELECT value FROM json_each(?))").bind(JSON.stringify(orgs));
}

/** A head, and the JWS of the one in whose place it comes; `null` for none. */
export interface NextHead extends HeadRow {
  readonly was: string | null;
}

/**
 * Puts heads in the places of those that were there, of any number of logs. The batch is aborted with the guard
 * `unchanged` when one of those is not there any more.
 */
export function replaceHeads(db: D1Database, heads: readonly NextHead[], now: number): [guard: D1PreparedStatement, put: D1PreparedStatement] {
  const list = JSON.stringify(heads);
  return [
    db
      .prepare(
        `INSERT INTO guard (unchanged) SELECT 0 WHERE EXISTS (
           SELECT 1 FROM json_each(?) j WHERE (SELECT h.jws FROM audit_heads h WHERE h.org = j.value ->> 'org') IS NOT j.value ->> 'was')`,
      )
      .bind(list),
    db
      .prepare(
        `INSERT INTO audit_heads (org, removed_to, kid, jws, tried_at)
         SELECT value ->> 'org', value ->> 'removed_to', value ->> 'kid', value ->> 'jws', ?2 FROM json_each(?1) WHERE true
         ON CONFLICT (org) DO UPDATE SET removed_to = excluded.removed_to, kid = excluded.kid, jws = excluded.jws, tried_at = excluded.tried_at`,
      )
      .bind(list, now),
  ];
}

/** Selects up to `limit` heads that another key than `kid` signed ({@link HeadRow}), those first that were not tried for longest. */
export function selectForeignHeads(db: D1Database, kid: string, limit: number): D1PreparedStatement {
  return db.prepare("SELECT org, removed_to, kid, jws FROM audit_heads WHERE kid <> ? ORDER BY tried_at, org LIMIT ?").bind(kid, limit);
}

/** Records that a head was looked at and could not be renewed. */
export function noteTried(db: D1Database, org: string, now: number): D1PreparedStatement {
  return db.prepare("UPDATE audit_heads SET tried_at = ? WHERE org = ?").bind(now, org);
}
