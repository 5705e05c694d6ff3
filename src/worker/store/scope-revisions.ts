/** How often a scope has been written, and what is said of it as one object. Times are milliseconds since 1970. */
export interface ScopeRevision {
  /** 0 where only `custom_metadata` was. */
  readonly revision: number;
  readonly created_at: number;
  /** When it got the revision that it has. */
  readonly revised_at: number;
  /** When it was written last, or its `custom_metadata`. */
  readonly updated_at: number;
  /** The last revision that deleted all of it at once; `null` for none. */
  readonly emptied_revision: number | null;
  /** A JSON object of texts. */
  readonly custom_metadata: string;
}

const COLUMNS = ["revision", "created_at", "revised_at", "updated_at", "emptied_revision", "custom_metadata"] as const satisfies (keyof ScopeRevision)[];

/** SQL for a {@link ScopeRevision} of the table `r`, as JSON. */
export const REVISION_JSON = `json_object(${COLUMNS.map((column) => `'${column}', r.${column}`).join(", ")})`;

/** Which scope of which organization. */
interface ScopeKey {
  readonly org: string;
  readonly scope: string;
}

/** Selects how often a scope has been written ({@link ScopeRevision}). */
export function selectRevision(db: D1Database, { org, scope }: ScopeKey): D1PreparedStatement {
  return db.prepare(`SELECT ${COLUMNS.join(", ")} FROM scope_revisions WHERE org = ? AND scope = ?`).bind(org, scope);
}

/**
 * Counts up the revision of each of some scopes, once however many secrets are written. It comes before the statements that
 * write: what they write has this revision.
 *
 * @param empties Whether all of each is deleted at once.
 */
export function raiseRevisions(db: D1Database, scopes: Iterable<ScopeKey>, now: number, empties = false): D1PreparedStatement[] {
  const distinct = new Map([...scopes].map(({ org, scope }) => [JSON.stringify([org, scope]), { org, scope }]));
  const emptied = empties ? "scope_revisions.revision + 1" : "scope_revisions.emptied_revision";
  return [...distinct.values()].map(({ org, scope }) =>
    db
      .prepare(
        `INSERT INTO scope_revisions (org, scope, revision, created_at, revised_at, updated_at) VALUES (?1, ?2, 1, ?3, ?3, ?3)
         ON CONFLICT (org, scope) DO UPDATE SET revision = scope_revisions.revision + 1, revised_at = ?3, updated_at = ?3, emptied_revision = ${emptied}`,
      )
      .bind(org, scope, now),
  );
}

/** Aborts the batch with a guard unless a scope is at a revision; 0 is one that was never written. */
export function requireRevision(db: D1Database, { org, scope }: ScopeKey, revision: number, guard: "scope_revision" | "unchanged"): D1PreparedStatement {
  return db
    .prepare(`INSERT INTO guard (${guard}) SELECT 0 WHERE COALESCE((SELECT revision FROM scope_revisions WHERE org = ?1 AND scope = ?2), 0) <> ?3`)
    .bind(org, scope, revision);
}

/** Aborts the batch with the guard `unchanged` unless of a scope is said what was. */
export function requireCustomMetadata(db: D1Database, { org, scope }: ScopeKey, metadata: string): D1PreparedStatement {
  return db
    .prepare("INSERT INTO guard (unchanged) SELECT 0 WHERE COALESCE((SELECT custom_metadata FROM scope_revisions WHERE org = ?1 AND scope = ?2), '{}') <> ?3")
    .bind(org, scope, metadata);
}

/** Sets what is said of a scope as one object, a JSON object of texts. */
export function putCustomMetadata(db: D1Database, { org, scope }: ScopeKey, metadata: string, now: number): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO scope_revisions (org, scope, revision, created_at, revised_at, updated_at, custom_metadata) VALUES (?1, ?2, 0, ?4, ?4, ?4, ?3)
       ON CONFLICT (org, scope) DO UPDATE SET updated_at = ?4, custom_metadata = ?3`,
    )
    .bind(org, scope, metadata, now);
}

/** Forgets how often a scope has been written. */
export function deleteRevision(db: D1Database, { org, scope }: ScopeKey): D1PreparedStatement {
  return db.prepare("DELETE FROM scope_revisions WHERE org = ? AND scope = ?").bind(org, scope);
}

/** Selects which revision of its scope has written a version, or deleted its secret, as `revision`. */
export function selectRevisionOf(db: D1Database, secret: { readonly org: string; readonly id: string; readonly version: number }): D1PreparedStatement {
  return db
    .prepare(
      `SELECT COALESCE(s.deleted_revision, v.scope_revision) AS revision FROM secrets s LEFT JOIN versions v ON v.secret_id = s.id AND v.version = ?3
       WHERE s.org = ?1 AND s.id = ?2`,
    )
    .bind(secret.org, secret.id, secret.version);
}
