import { eachLimitField, isLimited, LIMITS, type LimitFields, type Limits } from "../../contract/limits.ts";
import { matchesPattern } from "./matches-pattern.ts";

/** A token that Keyhole issued, as D1 has it. Lists are JSON. */
export interface TokenRow extends LimitFields<string | null> {
  readonly id: string;
  readonly org: string;
  /** The token that minted it, or `trust:<name>`. */
  readonly parent_id: string | null;
  readonly label: string;
  readonly permissions: string;
  readonly created_at: number;
  readonly created_by: string;
  readonly expires_at: number;
  /** When it was revoked by a Keyhole that had no revocations yet; `null` for all later ones. */
  readonly revoked_at: number | null;
  /** 1 when the token itself says what it descends from; 0 for those of before. */
  readonly says_ancestors: 0 | 1;
  /** For how long its holder may be given the same again without asking for that, in seconds; 0 for never. */
  readonly lease_seconds: number;
  /** When the token was issued that minted it, in seconds since 1970; `null` for the tokens of before, and for exchanged ones. */
  readonly maker_issued_at: number | null;
  readonly seal: string | null;
}

const FIELDS = Object.values(LIMITS).map(({ field }) => field);

/** Inserts a token. */
export function insertToken(db: D1Database, t: TokenRow): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO tokens (id, org, parent_id, label, permissions, ${FIELDS.join(", ")}, created_at, created_by, expires_at, says_ancestors, lease_seconds, maker_issued_at, seal)
       VALUES (?, ?, ?, ?, ?, ${FIELDS.map(() => "?").join(", ")}, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .bind(
      t.id,
      t.org,
      t.parent_id,
      t.label,
      t.permissions,
      ...FIELDS.map((field) => t[field]),
      t.created_at,
      t.created_by,
      t.expires_at,
      t.says_ancestors,
      t.lease_seconds,
      t.maker_issued_at,
      t.seal,
    );
}

/** Selects one token of an organization ({@link TokenRow}). */
export function selectToken(db: D1Database, org: string, id: string): D1PreparedStatement {
  return db.prepare("SELECT * FROM tokens WHERE id = ? AND org = ?").bind(id, org);
}

/** Selects the id of a token that another one minted, if there is any. */
export function selectChild(db: D1Database, org: string, parent: string): D1PreparedStatement {
  return db.prepare("SELECT id FROM tokens WHERE org = ? AND parent_id = ? LIMIT 1").bind(org, parent);
}

/** Where a list of tokens goes on: before this one. */
export interface TokenPosition {
  readonly createdAt: number;
  readonly id: string;
}

/** SQL for whether the limits of the token `t` are within those of `parameter`, as {@link limitsJson} makes it. */
const WITHIN = (parameter: string) =>
  FIELDS.map(
    (column) => `(${parameter} ->> '${column}' IS NULL OR (t.${column} IS NOT NULL AND NOT EXISTS (
     SELECT 1 FROM json_each(t.${column}) i WHERE NOT EXISTS (SELECT 1 FROM json_each(${parameter}, '$.${column}') o WHERE ${matchesPattern("i.value", "o.value")}))))`,
  ).join(" AND ");

/** Limits as SQL compares them: JSON by column, `null` where there is none. */
function limitsJson(limits: Limits): string | null {
  return isLimited(limits) ? JSON.stringify(eachLimitField((name) => limits[name])) : null;
}

/** SQL for when the token `t`, or one that it descends from, was revoked. */
const REVOKED_BY = `WITH RECURSIVE up (id, links) AS (
    SELECT t.id, 0 UNION ALL SELECT p.parent_id, up.links + 1 FROM up JOIN tokens p ON p.id = up.id AND p.org = t.org WHERE p.parent_id IS NOT NULL AND up.links < 10
  ) SELECT MIN(r.at) FROM up CROSS JOIN revocations r ON r.org = t.org AND r.kind IN ('id', 'trust-revision') AND r.value = up.id`;

/** A token in a list. */
export interface ListedToken extends TokenRow {
  /** When it was revoked, or one that it descends from; `null` when neither was. */
  readonly ended_at: number | null;
}

/** Selects up to `limit` tokens of an organization whose limits are within `limits`, newest first ({@link ListedToken}). */
export function selectTokens(db: D1Database, org: string, limits: Limits, before: TokenPosition | undefined, limit: number): D1PreparedStatement {
  return db
    .prepare(
      `SELECT *, (${REVOKED_BY}) AS ended_at FROM tokens t WHERE t.org = ?1 AND ${WITHIN("?2")}
         AND (?3 IS NULL OR (t.created_at, t.id) < (?3, ?4))
       ORDER BY t.created_at DESC, t.id DESC LIMIT ?5`,
    )
    .bind(org, limitsJson(limits), before?.createdAt ?? null, before?.id ?? null, limit);
}

/**
 * Selects up to `limit` revocations of an organization, newest first, before the one with a number ({@link RevocationRow}); with
 * limits only those of tokens within them, as far as these have rows. A floor is none, and
 * what is named by `issuer`, this deployment, is left out while it is named by its id too.
 */
export function selectRevocations(db: D1Database, org: string, issuer: string, limits: Limits, before: number | undefined, limit: number): D1PreparedStatement {
  return db
    .prepare(
      `SELECT r.* FROM revocations r WHERE r.org = ?1 AND r.kind <> 'floor' AND NOT (r.kind = 'id' AND r.value LIKE '[%' AND r.value ->> 0 = ?5
           AND EXISTS (SELECT 1 FROM revocations p WHERE p.org = r.org AND p.kind = 'id' AND p.value = r.value ->> 1)) AND (?3 IS NULL OR r.n < ?3) AND (?2 IS NULL OR (r.kind = 'id'
         AND EXISTS (SELECT 1 FROM tokens t WHERE t.id = r.value AND t.org = r.org AND ${WITHIN("?2")})))
       ORDER BY r.n DESC LIMIT ?4`,
    )
    .bind(org, limitsJson(limits), before ?? null, limit, issuer);
}

/**
 * Selects the ids of the tokens that came of one and do not say so themselves: those that it minted, and theirs. `id` may
 * also be `trust:<name>`. What a later token descends from is in its own signature.
 */
export function selectFamily(db: D1Database, org: string, id: string): D1PreparedStatement {
  return db
    .prepare(
      `WITH RECURSIVE family (id) AS (SELECT ?2 UNION SELECT t.id FROM tokens t JOIN family f ON t.org = ?1 AND t.parent_id = f.id AND t.says_ancestors = 0)
       SELECT id FROM family WHERE id <> ?2`,
    )
    .bind(org, id);
}

/** An expired token stays in the list for this long, in milliseconds. */
export const TOKEN_KEPT = 7 * 86_400_000;
/** SQL for whether something was made with the token of an organization that is there still: another token, or a trust. */
export const HAS_MADE = (org: string, id: string) =>
  `(EXISTS (SELECT 1 FROM tokens c WHERE c.org = ${org} AND c.parent_id = ${id}) OR EXISTS (SELECT 1 FROM trust_makers k WHERE k.org = ${org} AND k.id = ${id}))`;
/** SQL for whether the row of a token `t` can go. One with which others, or a trust, were made stays as long as they do, because revoking its own maker reaches them through it. */
export const FORGETTABLE_TOKEN = `t.expires_at < ?1 - ${TOKEN_KEPT} AND NOT ${HAS_MADE("t.org", "t.id")}`;

/**
 * Selects the ids of the tokens that those of a subject minted, and the ids of these: what a token descends from is in its
 * signature by id and not by subject, and it may live for longer than what minted it. `issuer` is another one than this
 * deployment, `null` for that.
 */
export function selectMintedBy(db: D1Database, org: string, subject: string, issuer: string | null): D1PreparedStatement {
  return db
    .prepare(
      `WITH minted AS (
         SELECT id, parent_id FROM tokens WHERE org = ?1 AND created_by = ?2 AND parent_id NOT LIKE 'trust:%'
           AND CASE WHEN json_valid(parent_id) THEN parent_id ->> 0 END IS ?3)
       SELECT id FROM minted UNION SELECT parent_id FROM minted`,
    )
    .bind(org, subject, issuer);
}

/**
 * Selects the ids of the tokens that were issued after a time, in seconds, and minted by one that was not, or of which that is
 * not known, and the ids of those.
 */
export function selectMintedAfter(db: D1Database, org: string, time: number): D1PreparedStatement {
  return db
    .prepare(
      `WITH minted AS (
         SELECT t.id, t.parent_id FROM tokens t LEFT JOIN tokens p ON p.id = t.parent_id AND p.org = t.org
         WHERE t.org = ?1 AND t.created_at >= (?2 + 1) * 1000 AND t.parent_id NOT LIKE 'trust:%'
           AND COALESCE(t.maker_issued_at, p.created_at / 1000, 0) <= ?2)
       SELECT id FROM minted UNION SELECT parent_id FROM minted`,
    )
    .bind(org, time);
}

/**
 * Deletes up to `limit` tokens that expired long enough ago, and returns their ids (`{ id }`): they are refused without being looked up. Those of each
 * organization that expired first come first, in a stretch of the oldest: no organization waits for all of another one's.
 */
export function deleteExpiredTokens(db: D1Database, now: number, limit: number): D1PreparedStatement {
  return db
    .prepare(
      `DELETE FROM tokens WHERE id IN (
         SELECT id FROM (SELECT t.id, t.org, t.expires_at FROM tokens t WHERE ${FORGETTABLE_TOKEN} ORDER BY t.expires_at LIMIT ?2 * ${STRETCH})
         ORDER BY ROW_NUMBER() OVER (PARTITION BY org ORDER BY expires_at) LIMIT ?2) RETURNING id`,
    )
    .bind(now, limit);
}

/** How many times as many of the oldest are looked at as are deleted. */
const STRETCH = 10;
