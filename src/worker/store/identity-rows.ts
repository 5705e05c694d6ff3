import { HAS_MADE } from "./token-rows.ts";

/** An identity token, as exchanges of it are counted: under one trust. */
export interface IdentityKey {
  readonly org: string;
  readonly trust: string;
  /** A hash of what is signed. */
  readonly digest: string;
}

/** An identity token that has been exchanged, as D1 has it. */
export interface UsedIdentity extends IdentityKey {
  /** What it was last exchanged for. */
  readonly token_id: string;
  /** When it first was, and from where. */
  readonly used_at: number;
  readonly network: string | null;
  readonly forget_at: number;
}

/** The same as it was found. */
export interface FoundIdentity extends UsedIdentity {
  /** Whether a token or a trust was made with what it was last exchanged for. */
  readonly has_made: 0 | 1;
}

/** Selects what is known of an identity token ({@link FoundIdentity}). */
export function selectIdentity(db: D1Database, { org, trust, digest }: IdentityKey): D1PreparedStatement {
  return db
    .prepare(`SELECT u.*, ${HAS_MADE("u.org", "u.token_id")} AS has_made FROM used_identities u WHERE u.org = ? AND u.trust = ? AND u.digest = ?`)
    .bind(org, trust, digest);
}

/**
 * Aborts the batch with the guard `identity_unchanged` when the identity token was exchanged since it was read, or something
 * was made with what that gave; `undefined` for one that had not been.
 */
export function requireIdentity(db: D1Database, { org, trust, digest }: IdentityKey, was: FoundIdentity | undefined): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO guard (identity_unchanged)
       SELECT 0 WHERE (SELECT json_array(u.token_id, ${HAS_MADE("u.org", "u.token_id")}) FROM used_identities u WHERE u.org = ? AND u.trust = ? AND u.digest = ?) IS NOT ?`,
    )
    .bind(org, trust, digest, was ? JSON.stringify([was.token_id, was.has_made]) : null);
}

/** Notes that an identity token was exchanged. When and from where it first was stays; `again` names what it was exchanged for now. */
export function noteIdentity(db: D1Database, used: UsedIdentity): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO used_identities (org, trust, digest, token_id, used_at, network, forget_at) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (org, trust, digest) DO UPDATE SET token_id = excluded.token_id`,
    )
    .bind(used.org, used.trust, used.digest, used.token_id, used.used_at, used.network, used.forget_at);
}

/** SQL for whether an identity token `u` is refused for its age by now. */
export const OLD_IDENTITY = "u.forget_at < ?1";

/** Deletes up to `limit` identity tokens that are refused for their age by now. */
export function deleteOldIdentities(db: D1Database, now: number, limit: number): D1PreparedStatement {
  return db
    .prepare(
      `DELETE FROM used_identities WHERE (org, trust, digest) IN (
         SELECT u.org, u.trust, u.digest FROM used_identities u WHERE ${OLD_IDENTITY} ORDER BY u.forget_at LIMIT ?2)`,
    )
    .bind(now, limit);
}

/** How often identity tokens were refused under a trust for one reason, as D1 has it. */
export interface RefusalRow {
  readonly org: string;
  readonly trust: string;
  readonly reason: string;
  /** The condition or template that was not fulfilled; empty for none. */
  readonly about: string;
  readonly count: number;
  readonly first_at: number;
  readonly last_at: number;
}

/** Adds refusals to those that were counted before, of trusts that there are. */
export function addRefusals(db: D1Database, refusals: readonly RefusalRow[]): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO trust_refusals (org, trust, reason, about, count, first_at, last_at)
       SELECT j.value ->> 'org', j.value ->> 'trust', j.value ->> 'reason', j.value ->> 'about', j.value ->> 'count', j.value ->> 'first_at', j.value ->> 'last_at'
       FROM json_each(?) j WHERE EXISTS (SELECT 1 FROM trusts t WHERE t.org = j.value ->> 'org' AND t.name = j.value ->> 'trust')
       ON CONFLICT (org, trust, reason, about) DO UPDATE SET count = count + excluded.count, last_at = MAX(last_at, excluded.last_at)`,
    )
    .bind(JSON.stringify(refusals));
}

/** Selects up to `limit` reasons for which identity tokens were refused under a trust, the latest first ({@link RefusalRow}). */
export function selectRefusals(db: D1Database, org: string, trust: string, limit: number): D1PreparedStatement {
  return db.prepare("SELECT * FROM trust_refusals WHERE org = ? AND trust = ? ORDER BY last_at DESC, reason, about LIMIT ?").bind(org, trust, limit);
}

/** Deletes what was counted of a trust. */
export function deleteRefusals(db: D1Database, org: string, trust: string): D1PreparedStatement {
  return db.prepare("DELETE FROM trust_refusals WHERE org = ? AND trust = ?").bind(org, trust);
}
