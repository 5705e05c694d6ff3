import { SEALED_TABLE_NAMES } from "./sealed-tables.ts";

/** How many rows of a kind are under a key of the keyring. */
export interface KeyUse {
  readonly key_id: string;
  readonly versions: number;
  readonly seals: number;
}

/** The versions of one organization, read by its secrets, or those of all for `null`. */
export const versionsOf = (org: string | null) =>
  org === null ? "FROM versions v WHERE ?1 IS ?1" : "FROM secrets s CROSS JOIN versions v ON v.secret_id = s.id WHERE s.org = ?1";

const versions = (org: string | null) =>
  `SELECT v.key_id AS key_id, COUNT(*) AS versions, 0 AS seals ${versionsOf(org)} AND v.key_id IS NOT NULL GROUP BY v.key_id`;

const seals = (table: string) =>
  `SELECT substr(rest, 1, instr(rest, ':') - 1) AS key_id, 0 AS versions, COUNT(*) AS seals
   FROM (SELECT substr(seal, instr(seal, ':') + 1) AS rest FROM ${table} WHERE seal GLOB 's*:*:*' AND (?1 IS NULL OR org = ?1)) GROUP BY 1`;

/** Selects what is under each key ({@link KeyUse}): of one organization, or of all for `null`. */
export function selectKeyUse(db: D1Database, org: string | null, sealed: readonly string[] = SEALED_TABLE_NAMES): D1PreparedStatement {
  // D1 joins at most five selects in one.
  const rows = [...sealed.map(seals), versions(org)].reduce((joined, select) => `SELECT * FROM (${joined}) UNION ALL ${select}`);
  return db.prepare(`SELECT key_id, SUM(versions) AS versions, SUM(seals) AS seals FROM (${rows}) GROUP BY key_id ORDER BY key_id`).bind(org);
}
