import { SEALED_TABLE_NAMES } from "./sealed-tables.ts";

/** What is counted under each key, and which kinds of rows it counts. Whatever else comes under keys is one more here, and one more select below. */
const NUMBERS = {
  versions: "kind = 'version'",
  archives: "kind = 'archive'",
  seals: "kind GLOB 'seal of *'",
  /** Among the seals. */
  tokens: "kind = 'seal of tokens'",
} as const;

/** The names of those numbers. A key with nothing under it has 0 of each. */
export const KEY_NUMBERS = Object.keys(NUMBERS) as readonly (keyof typeof NUMBERS)[];

/** How many of each are under a key. */
export type KeyNumbers = { readonly [name in keyof typeof NUMBERS]: number };

/** How many rows of a kind are under a key of the keyring. */
export interface KeyUse extends KeyNumbers {
  /** As rows name it: a version by its id, a seal by its fingerprint. */
  readonly key_id: string;
}

/** The versions of one organization, read by its secrets, or those of all for `null`. */
export const versionsOf = (org: string | null) =>
  org === null ? "FROM versions v WHERE ?1 IS ?1" : "FROM secrets s CROSS JOIN versions v ON v.secret_id = s.id WHERE s.org = ?1";

const versions = (org: string | null) =>
  `SELECT v.key_id AS key_id, 'version' AS kind, COUNT(*) AS n ${versionsOf(org)} AND v.key_id IS NOT NULL GROUP BY v.key_id`;

const ARCHIVES = "SELECT key_id, 'archive' AS kind, COUNT(*) AS n FROM audit_archives WHERE ?1 IS NULL OR org = ?1 GROUP BY key_id";

const seals = (table: string) =>
  `SELECT substr(rest, 1, instr(rest, ':') - 1) AS key_id, 'seal of ${table}' AS kind, COUNT(*) AS n
   FROM (SELECT substr(seal, instr(seal, ':') + 1) AS rest FROM ${table} WHERE seal GLOB 's*:*:*' AND (?1 IS NULL OR org = ?1)) GROUP BY 1`;

/** The secrets of webhooks, encrypted: their texts begin with the id of the key that they are under. */
const WEBHOOKS = `SELECT substr(rest, 1, instr(rest, ':') - 1) AS key_id, 'seal of webhook secrets' AS kind, COUNT(*) AS n
  FROM (SELECT substr(signing, 4) AS rest FROM webhooks WHERE signing GLOB 't1:*:*' AND (?1 IS NULL OR org = ?1)) GROUP BY 1`;

/** Selects what is under each key ({@link KeyUse}): of one organization, or of all for `null`. */
export function selectKeyUse(db: D1Database, org: string | null, sealed: readonly string[] = SEALED_TABLE_NAMES): D1PreparedStatement {
  // D1 joins at most five selects in one.
  const rows = [...sealed.map(seals), versions(org), ARCHIVES, WEBHOOKS].reduce((joined, select) => `SELECT * FROM (${joined}) UNION ALL ${select}`);
  const numbers = Object.entries(NUMBERS).map(([name, kinds]) => `SUM(n * (${kinds})) AS ${name}`);
  return db.prepare(`SELECT key_id, ${numbers.join(", ")} FROM (${rows}) GROUP BY key_id ORDER BY key_id`).bind(org);
}
