import type { RevocationKind } from "./revocation-rows.ts";

/** How many revocations one reading brings for each organization. Where there are more, what is kept for it all goes. */
export const REVOCATIONS_AT_ONCE = 1_000;

/** An organization, and the number of the last of its revocations that have been seen. */
export interface SeenOrg {
  readonly org: string;
  readonly seen: number;
}

/** What an organization's kept answers are held against. */
export interface EpochRow {
  readonly org: string;
  /** Another one after each change that decides what a resolve answers; `null` where there never was one. */
  readonly epoch: string | null;
  /** The number of the last revocation, 0 for none. */
  readonly last: number;
  /** Its seal, which tells it from another one with the same number. */
  readonly last_seal: string | null;
  /** The revocations after those that have been seen, as JSON: an array of {@link RevokedMark}, `REVOCATIONS_AT_ONCE` at the most. */
  readonly revoked: string;
}

/** What a revocation takes out of force. */
export type RevokedMark = readonly [kind: RevocationKind, value: string];

/** Selects the epochs of organizations, and what has been revoked there since ({@link EpochRow}). */
export function selectEpochs(db: D1Database, orgs: readonly SeenOrg[]): D1PreparedStatement {
  return db
    .prepare(
      `SELECT o.value ->> 'org' AS org, e.epoch, COALESCE((SELECT MAX(r.n) FROM revocations r WHERE r.org = o.value ->> 'org'), 0) AS last,
         (SELECT r.seal FROM revocations r WHERE r.org = o.value ->> 'org' ORDER BY r.n DESC LIMIT 1) AS last_seal,
         (SELECT json_group_array(json_array(x.kind, x.value)) FROM (
            SELECT r.kind, r.value FROM revocations r WHERE r.org = o.value ->> 'org' AND r.n > o.value ->> 'seen' ORDER BY r.n LIMIT ${REVOCATIONS_AT_ONCE}
          ) x) AS revoked
       FROM json_each(?) o LEFT JOIN epochs e ON e.org = o.value ->> 'org'`,
    )
    .bind(JSON.stringify(orgs));
}
