/** How many rows of a kind are under a key of the keyring. */
export interface KeyUse {
  readonly key_id: string;
  readonly versions: number;
  readonly seals: number;
}

/**
 * The tables whose rows carry a seal, each in a column `seal` of the form `s1:<key id>:<mac>`, with the organization in a
 * column `org`. A table that gets seals is one more name here.
 */
const SEALED: readonly string[] = [];

/** The versions of one organization, read by its secrets, or those of all for `null`. */
export const versionsOf = (org: string | null) =>
  org === null ? "FROM versions v WHERE ?1 IS ?1" : "FROM secrets s CROSS JOIN versions v ON v.secret_id = s.id WHERE s.org = ?1";

const versions = (org: string | null) =>
  `SELECT v.key_id AS key_id, COUNT(*) AS versions, 0 AS seals ${versionsOf(org)} AND v.key_id IS NOT NULL GROUP BY v.key_id`;

const seals = (table: string) =>
  `SELECT substr(seal, 4, instr(substr(seal, 4), ':') - 1) AS key_id, 0, COUNT(*) FROM ${table} WHERE seal GLOB 's1:*:*' AND (?1 IS NULL OR org = ?1) GROUP BY 1`;

/** Selects what is under each key ({@link KeyUse}): of one organization, or of all for `null`. */
export function selectKeyUse(db: D1Database, org: string | null, sealed: readonly string[] = SEALED): D1PreparedStatement {
  const rows = [versions(org), ...sealed.map(seals)].join(" UNION ALL ");
  return db.prepare(`SELECT key_id, SUM(versions) AS versions, SUM(seals) AS seals FROM (${rows}) GROUP BY key_id ORDER BY key_id`).bind(org);
}
