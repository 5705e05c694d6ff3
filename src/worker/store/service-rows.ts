import type { PresetName } from "../../contract/service-presets.ts";

/** A service as D1 has it. `definition` is JSON. */
export interface ServiceRow {
  readonly org: string;
  readonly name: string;
  /** Counts its changes. */
  readonly revision: number;
  readonly preset: PresetName | null;
  readonly definition: string;
  readonly created_at: number;
  readonly created_by: string;
  readonly updated_at: number;
  readonly updated_by: string;
  readonly seal: string | null;
}

/** Selects the services of a name that an organization has ({@link ServiceRow}): its own, and then the operator's. */
export function selectService(db: D1Database, org: string, platform: string | null, name: string): D1PreparedStatement {
  return db.prepare("SELECT * FROM services WHERE org IN (?1, ?2) AND name = ?3 ORDER BY org <> ?1 LIMIT 1").bind(org, platform ?? org, name);
}

/** Selects up to `limit` services that an organization has after the one that is named `after`, by name ({@link ServiceRow}); one of its own takes the place of the operator's. */
export function selectServices(db: D1Database, org: string, platform: string | null, after: string, limit: number): D1PreparedStatement {
  return db
    .prepare(
      `SELECT * FROM services s WHERE s.name > ?3 AND (s.org = ?1 OR (s.org = ?2 AND NOT EXISTS (SELECT 1 FROM services o WHERE o.org = ?1 AND o.name = s.name)))
       ORDER BY s.name LIMIT ?4`,
    )
    .bind(org, platform ?? org, after, limit);
}

/** Inserts a service, or replaces all of it. */
export function upsertService(db: D1Database, s: ServiceRow): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO services (org, name, revision, preset, definition, created_at, created_by, updated_at, updated_by, seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (org, name) DO UPDATE SET revision = excluded.revision, preset = excluded.preset, definition = excluded.definition,
         created_at = excluded.created_at, created_by = excluded.created_by, updated_at = excluded.updated_at, updated_by = excluded.updated_by, seal = excluded.seal`,
    )
    .bind(s.org, s.name, s.revision, s.preset, s.definition, s.created_at, s.created_by, s.updated_at, s.updated_by, s.seal);
}

/** Deletes a service. */
export function deleteServiceRow(db: D1Database, org: string, name: string): D1PreparedStatement {
  return db.prepare("DELETE FROM services WHERE org = ? AND name = ?").bind(org, name);
}
