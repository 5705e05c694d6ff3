import { OLD_IDENTITY } from "./identity-rows.ts";
import { DUE_CIPHERTEXTS } from "./inline-ciphertexts.ts";
import { OLD_REVOCATION, REVOCATION_KEPT } from "./revocation-rows.ts";
import { OVER } from "./secret-rows.ts";
import { FORGETTABLE_TOKEN, TOKEN_KEPT } from "./token-rows.ts";

/** How many rows wait for a job, up to {@link MOST_ROWS}, and since when the oldest is due, in milliseconds since 1970; `null` for none, or where it is not known. */
export interface WaitingRows {
  readonly rows: number;
  readonly since: number | null;
}

/** Whoever asks whether the Worker is ready must not make D1 count millions. */
const MOST_ROWS = 10_001;

const { put, cleared, removed } = DUE_CIPHERTEXTS;

/** Of each job where its rows are, which of them are due, and since when. An index has them in that order. */
const SOURCES = {
  ciphertexts_put: { from: put.table, due: `${put.indexed} AND ${put.due("?1")}`, since: put.since, order: "created_at" },
  ciphertexts_cleared: { from: cleared.table, due: `${cleared.indexed} AND ${cleared.due("?1")}`, since: cleared.since, order: "kv_put_at" },
  ciphertexts_removed: { from: removed.table, due: removed.due("?1"), since: removed.since, order: "noted_at" },
  store_writes: { from: "store_writes w", due: "w.retry_at <= ?1 - 60000", since: "w.retry_at", order: "w.retry_at" },
  secrets_purged: { from: OVER.table, due: `${OVER.indexed} AND ${OVER.due("?1")}`, since: "deleted_until", order: OVER.order },
  tokens_forgotten: { from: "tokens t", due: FORGETTABLE_TOKEN, since: `t.expires_at + ${TOKEN_KEPT}`, order: "t.expires_at" },
  identities_forgotten: { from: "used_identities u", due: OLD_IDENTITY, since: "u.forget_at", order: "u.forget_at" },
  revocations_forgotten: { from: "revocations r", due: OLD_REVOCATION, since: `r.at + ${REVOCATION_KEPT}`, order: "r.at" },
} as const;

/** Jobs whose work is rows. */
export type RowJob = keyof typeof SOURCES | "rewrapped";
/** Their names, in the order of what {@link selectWaitingRows} selects. */
export const ROW_JOBS = [...Object.keys(SOURCES), "rewrapped"] as readonly RowJob[];

/**
 * Selects what waits for each of {@link ROW_JOBS} ({@link WaitingRows}).
 *
 * @param olderKeys The ids of the keys that are not the current one.
 */
export function selectWaitingRows(db: D1Database, now: number, olderKeys: readonly string[]): D1PreparedStatement[] {
  const counted = Object.values(SOURCES).map(({ from, due, since, order }) =>
    db
      .prepare(
        `SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM ${from} WHERE ${due} LIMIT ${MOST_ROWS})) AS rows,
           (SELECT ${since} FROM ${from} WHERE ${due} ORDER BY ${order} LIMIT 1) AS since`,
      )
      .bind(now),
  );
  const under = (table: string) =>
    `(SELECT COUNT(*) FROM (SELECT 1 FROM ${table} WHERE key_id IN (SELECT value FROM json_each(?2)) AND (retry_at IS NULL OR retry_at <= ?1) LIMIT ${MOST_ROWS}))`;
  return [...counted, db.prepare(`SELECT ${under("versions")} + ${under("audit_archives")} AS rows, NULL AS since`).bind(now, JSON.stringify(olderKeys))];
}
