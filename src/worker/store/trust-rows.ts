/** A trust as D1 has it. Lists and claims are JSON. */
export interface TrustRow {
  readonly org: string;
  readonly name: string;
  readonly issuer: string;
  readonly audience: string;
  readonly claims: string;
  readonly permissions: string;
  readonly secret_scopes: string | null;
  readonly secret_names: string | null;
  readonly expires_in: number;
  readonly created_at: number;
  readonly created_by: string;
  readonly updated_at: number;
  readonly updated_by: string;
}

/** Inserts a trust, or replaces all of it but when and by whom it was created. Returns the {@link TrustRow}. */
export function upsertTrust(db: D1Database, t: TrustRow): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO trusts (org, name, issuer, audience, claims, permissions, secret_scopes, secret_names, expires_in, created_at, created_by, updated_at, updated_by)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (org, name) DO UPDATE SET issuer = excluded.issuer, audience = excluded.audience, claims = excluded.claims, permissions = excluded.permissions,
         secret_scopes = excluded.secret_scopes, secret_names = excluded.secret_names, expires_in = excluded.expires_in,
         updated_at = excluded.updated_at, updated_by = excluded.updated_by
       RETURNING *`,
    )
    .bind(
      t.org,
      t.name,
      t.issuer,
      t.audience,
      t.claims,
      t.permissions,
      t.secret_scopes,
      t.secret_names,
      t.expires_in,
      t.created_at,
      t.created_by,
      t.updated_at,
      t.updated_by,
    );
}

/** Selects one trust ({@link TrustRow}). */
export function selectTrust(db: D1Database, org: string, name: string): D1PreparedStatement {
  return db.prepare("SELECT * FROM trusts WHERE org = ? AND name = ?").bind(org, name);
}

/** Selects the trusts of an organization, by name ({@link TrustRow}). */
export function selectTrusts(db: D1Database, org: string): D1PreparedStatement {
  return db.prepare("SELECT * FROM trusts WHERE org = ? ORDER BY name").bind(org);
}

/** Aborts the batch with the guard `unchanged` when the trust is no longer there as it was read. */
export function requireTrust(db: D1Database, { org, name, updated_at }: TrustRow): D1PreparedStatement {
  return db
    .prepare("INSERT INTO guard (unchanged) SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM trusts WHERE org = ? AND name = ? AND updated_at = ?)")
    .bind(org, name, updated_at);
}

/** Deletes a trust. */
export function deleteTrustRow(db: D1Database, org: string, name: string): D1PreparedStatement {
  return db.prepare("DELETE FROM trusts WHERE org = ? AND name = ?").bind(org, name);
}
