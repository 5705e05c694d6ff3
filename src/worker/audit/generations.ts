/** A restore of a log that was accepted, as D1 has it. What `jws` does not say is not to be relied on. */
export interface GenerationRow {
  readonly org: string;
  readonly generation: number;
  /** The next checkpoint has the number after this one, and the next event the one after `lost_seq`, where none is later. */
  readonly number: number;
  readonly lost_seq: number;
  readonly jws: string;
}

/** Selects the restores of a log, in their order ({@link GenerationRow}). An operator accepts each: there are few. */
export function selectGenerations(db: D1Database, org: string): D1PreparedStatement {
  return db.prepare("SELECT org, generation, number, lost_seq, jws FROM audit_generations WHERE org = ? ORDER BY generation LIMIT 1000").bind(org);
}

/** Selects the last of them. */
export function selectLastGeneration(db: D1Database, org: string): D1PreparedStatement {
  return db.prepare("SELECT org, generation, number, lost_seq, jws FROM audit_generations WHERE org = ? ORDER BY generation DESC LIMIT 1").bind(org);
}

/** Selects the last of them of each of some organizations, where there is one ({@link GenerationRow}). */
export function selectLastGenerations(db: D1Database, orgs: readonly string[]): D1PreparedStatement {
  return db
    .prepare(
      `SELECT g.org, g.generation, g.number, g.lost_seq, g.jws FROM json_each(?) j CROSS JOIN audit_generations g ON g.org = j.value
         AND g.generation = (SELECT MAX(l.generation) FROM audit_generations l WHERE l.org = j.value)`,
    )
    .bind(JSON.stringify(orgs));
}

/** Inserts one. */
export function insertGeneration(db: D1Database, { org, generation, number, lost_seq, jws }: GenerationRow): D1PreparedStatement {
  return db
    .prepare("INSERT INTO audit_generations (org, generation, number, lost_seq, jws) VALUES (?, ?, ?, ?, ?)")
    .bind(org, generation, number, lost_seq, jws);
}
