import { LIMITS, type LimitFields } from "../../contract/limits.ts";
import type { Reuse } from "../../contract/trust.ts";
import { notInForce } from "./revocation-rows.ts";

/** A trust as D1 has it. Lists and claims are JSON. */
export interface TrustRow extends LimitFields<string | null> {
  readonly org: string;
  readonly name: string;
  readonly issuer: string;
  readonly audience: string;
  readonly claims: string;
  readonly permissions: string;
  readonly expires_in: number;
  /** What its exchanged tokens have as `lease_seconds`. */
  readonly lease_seconds: number;
  readonly reuse: Reuse;
  /** Where the issuer's keys are, or they themselves, as JSON; `null` for both where its configuration says it. */
  readonly jwks_url: string | null;
  readonly jwks: string | null;
  /** How people log in by it, as JSON; `null` for a trust whose tokens are exchanged. */
  readonly login: string | null;
  readonly created_at: number;
  readonly created_by: string;
  readonly updated_at: number;
  readonly updated_by: string;
  /** Counts its changes: tokens are exchanged under one revision, and end with it. */
  readonly revision: number;
  /** What takes the token out of force that made it: `TokenMarks`, as JSON; `null` for the trusts of before. */
  readonly maker: string | null;
  readonly seal: string | null;
}

const FIELDS = Object.values(LIMITS).map(({ field }) => field);

/** Inserts a trust, or replaces all of it. */
export function upsertTrust(db: D1Database, t: TrustRow): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO trusts (org, name, issuer, audience, claims, permissions, ${FIELDS.join(", ")}, expires_in, reuse, jwks_url, jwks, login, lease_seconds, created_at, created_by, updated_at, updated_by, revision, maker, seal)
       VALUES (?, ?, ?, ?, ?, ?, ${FIELDS.map(() => "?").join(", ")}, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (org, name) DO UPDATE SET issuer = excluded.issuer, audience = excluded.audience, claims = excluded.claims, permissions = excluded.permissions,
         ${FIELDS.map((field) => `${field} = excluded.${field}`).join(", ")}, expires_in = excluded.expires_in,
         reuse = excluded.reuse, jwks_url = excluded.jwks_url, jwks = excluded.jwks, login = excluded.login, lease_seconds = excluded.lease_seconds,
         created_at = excluded.created_at, created_by = excluded.created_by, updated_at = excluded.updated_at, updated_by = excluded.updated_by,
         revision = excluded.revision, maker = excluded.maker, seal = excluded.seal`,
    )
    .bind(
      t.org,
      t.name,
      t.issuer,
      t.audience,
      t.claims,
      t.permissions,
      ...FIELDS.map((field) => t[field]),
      t.expires_in,
      t.reuse,
      t.jwks_url,
      t.jwks,
      t.login,
      t.lease_seconds,
      t.created_at,
      t.created_by,
      t.updated_at,
      t.updated_by,
      t.revision,
      t.maker,
      t.seal,
    );
}

/** A trust, and whether it gives nothing any more. */
export interface FoundTrust extends TrustRow {
  /** 1 when its maker or its revision has been revoked, else 0. */
  readonly suspended: 0 | 1;
}

// What is no JSON has another seal, too, and is refused for that.
const FOUND = `SELECT u.*, COALESCE(${notInForce("u.marks")} OR EXISTS (
    SELECT 1 FROM revocations r WHERE r.org = u.org AND r.kind = 'trust-revision' AND r.value = 'trust:' || u.name || '#' || u.revision), 0) AS suspended
  FROM (SELECT *, CASE WHEN json_valid(maker) THEN maker END AS marks FROM trusts WHERE org = ?1) u`;

/** Selects one trust ({@link FoundTrust}). */
export function selectTrust(db: D1Database, org: string, name: string): D1PreparedStatement {
  return db.prepare(`${FOUND} WHERE u.name = ?2`).bind(org, name);
}

/** What a trust is for: tokens that are exchanged, or people who log in. */
export type TrustKind = "trust" | "login";

/** Selects up to `limit` trusts of an organization, of one kind, after the one that is named `after`, by name ({@link FoundTrust}). */
export function selectTrusts(db: D1Database, org: string, kind: TrustKind, after: string, limit: number): D1PreparedStatement {
  const is = kind === "login" ? "NOT NULL" : "NULL";
  return db.prepare(`${FOUND} WHERE u.name > ?2 AND u.login IS ${is} ORDER BY u.name LIMIT ?3`).bind(org, after, limit);
}

/** Selects all trusts of an organization, by name ({@link TrustRow}). */
export function selectAllTrusts(db: D1Database, org: string): D1PreparedStatement {
  return db.prepare("SELECT * FROM trusts WHERE org = ? ORDER BY name").bind(org);
}

/** Aborts the batch with the guard `revocations_unchanged` when an organization's trusts are no longer those that were read. */
export function requireTrusts(db: D1Database, org: string, were: readonly Pick<TrustRow, "name" | "revision">[]): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO guard (revocations_unchanged) SELECT 0 WHERE ?2 <>
         (SELECT json_group_array(json_array(x.name, x.revision)) FROM (SELECT name, revision FROM trusts WHERE org = ?1 ORDER BY name) x)`,
    )
    .bind(org, JSON.stringify(were.map(({ name, revision }) => [name, revision])));
}

/** Selects the highest revision of a trust that was revoked, as `revision`; `NULL` for none. */
export function selectRevokedRevision(db: D1Database, org: string, name: string): D1PreparedStatement {
  return db
    .prepare(
      `SELECT MAX(CAST(substr(value, length(?2) + 1) AS INTEGER)) AS revision FROM revocations
       WHERE org = ?1 AND kind = 'trust-revision' AND value BETWEEN ?2 AND ?2 || '~'`,
    )
    .bind(org, `trust:${name}#`);
}

/** Deletes a trust. */
export function deleteTrustRow(db: D1Database, org: string, name: string): D1PreparedStatement {
  return db.prepare("DELETE FROM trusts WHERE org = ? AND name = ?").bind(org, name);
}
