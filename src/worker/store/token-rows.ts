import { matchesPattern } from "./matches-pattern.ts";

/** A token that Keyhole issued, as D1 has it. Lists are JSON. */
export interface TokenRow {
  readonly id: string;
  readonly org: string;
  /** The token that minted it, or `trust:<name>`. */
  readonly parent_id: string | null;
  readonly label: string;
  readonly permissions: string;
  readonly secret_scopes: string | null;
  readonly secret_names: string | null;
  readonly created_at: number;
  readonly created_by: string;
  readonly expires_at: number;
  readonly revoked_at: number | null;
}

/** SQL for whether an organization's token has been revoked. A token without a row, or without an id, has not. */
export function tokenRevoked(tokenId: string, org: string): string {
  return `EXISTS (SELECT 1 FROM tokens WHERE id = ${tokenId} AND org = ${org} AND revoked_at IS NOT NULL)`;
}

/** Aborts the batch with the guard `token_in_force` when the organization's token has been revoked. */
export function requireTokenInForce(db: D1Database, token: { readonly org: string; readonly tokenId: string }): D1PreparedStatement {
  return db.prepare(`INSERT INTO guard (token_in_force) SELECT 0 WHERE ${tokenRevoked("?1", "?2")}`).bind(token.tokenId, token.org);
}

/** Inserts a token. */
export function insertToken(db: D1Database, t: Omit<TokenRow, "revoked_at">): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO tokens (id, org, parent_id, label, permissions, secret_scopes, secret_names, created_at, created_by, expires_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .bind(t.id, t.org, t.parent_id, t.label, t.permissions, t.secret_scopes, t.secret_names, t.created_at, t.created_by, t.expires_at);
}

/** Selects one token of an organization ({@link TokenRow}). */
export function selectToken(db: D1Database, org: string, id: string): D1PreparedStatement {
  return db.prepare("SELECT * FROM tokens WHERE id = ? AND org = ?").bind(id, org);
}

/** Where a list of tokens goes on: before this one. */
export interface TokenPosition {
  readonly createdAt: number;
  readonly id: string;
}

/** Limits of a grant; `null` means none. */
export interface TokenLimits {
  readonly scopes: readonly string[] | null;
  readonly names: readonly string[] | null;
}

const WITHIN = (column: string, parameter: string) =>
  `(${parameter} IS NULL OR (t.${column} IS NOT NULL AND NOT EXISTS (
     SELECT 1 FROM json_each(t.${column}) i WHERE NOT EXISTS (SELECT 1 FROM json_each(${parameter}) o WHERE ${matchesPattern("i.value", "o.value")}))))`;

/** Selects up to `limit` tokens of an organization whose limits are within `limits`, newest first ({@link TokenRow}). */
export function selectTokens(db: D1Database, org: string, limits: TokenLimits, before: TokenPosition | undefined, limit: number): D1PreparedStatement {
  return db
    .prepare(
      `SELECT * FROM tokens t WHERE t.org = ?1 AND ${WITHIN("secret_scopes", "?2")} AND ${WITHIN("secret_names", "?3")}
         AND (?4 IS NULL OR (t.created_at, t.id) < (?4, ?5))
       ORDER BY t.created_at DESC, t.id DESC LIMIT ?6`,
    )
    .bind(org, json(limits.scopes), json(limits.names), before?.createdAt ?? null, before?.id ?? null, limit);
}

/** Revokes a token, and all that came of it: the tokens that it minted, and theirs. `id` may also be `trust:<name>`. */
export function revokeTokens(db: D1Database, org: string, id: string, now: number): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE tokens SET revoked_at = ?3 WHERE org = ?1 AND revoked_at IS NULL AND id IN (
         WITH RECURSIVE family (id) AS (SELECT ?2 UNION SELECT t.id FROM tokens t JOIN family f ON t.org = ?1 AND t.parent_id = f.id)
         SELECT id FROM family)`,
    )
    .bind(org, id, now);
}

/**
 * Deletes up to `limit` tokens that expired before `before`: they are refused without being looked up. One that minted
 * others stays as long as they do, because revoking its own maker reaches them through it.
 */
export function deleteExpiredTokens(db: D1Database, before: number, limit: number): D1PreparedStatement {
  return db
    .prepare(
      `DELETE FROM tokens WHERE id IN (
         SELECT t.id FROM tokens t WHERE t.expires_at < ? AND NOT EXISTS (SELECT 1 FROM tokens c WHERE c.org = t.org AND c.parent_id = t.id)
         ORDER BY t.expires_at LIMIT ?)`,
    )
    .bind(before, limit);
}

function json(list: readonly string[] | null): string | null {
  return list && JSON.stringify(list);
}
