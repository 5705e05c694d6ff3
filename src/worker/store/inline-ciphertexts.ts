import { fairSelect, type Shared, type Waiting } from "./fair-select.ts";

/** A write's own put has this long to be recorded before scheduled work puts again, in milliseconds. */
const PUT_AFTER = 60_000;
/** KV needs up to a minute to be the same everywhere; an inline copy stays for longer than that, in milliseconds. */
const CLEAR_AFTER = 5 * 60_000;
/** Longer than any request or scheduled run lasts that could still put what is noted for removal, in milliseconds. */
const REMOVE_AFTER = 20 * 60_000;

/** SQL for what is due at a time, which is the SQL of a parameter, and since when. */
export const DUE_CIPHERTEXTS = {
  put: {
    table: "versions",
    indexed: "ciphertext IS NOT NULL",
    due: (now: string) => `kv_put_at IS NULL AND created_at <= ${now} - ${PUT_AFTER} AND (retry_at IS NULL OR retry_at <= ${now})`,
    since: `created_at + ${PUT_AFTER}`,
  },
  cleared: {
    table: "versions",
    indexed: "ciphertext IS NOT NULL",
    due: (now: string) => `kv_put_at <= ${now} - ${CLEAR_AFTER}`,
    since: `kv_put_at + ${CLEAR_AFTER}`,
  },
  removed: { table: "kv_removals", indexed: "true", due: (now: string) => `noted_at <= ${now} - ${REMOVE_AFTER}`, since: `noted_at + ${REMOVE_AFTER}` },
} as const;

/** A version whose ciphertext is still inline. */
export interface InlineVersion extends Shared {
  readonly kv_key: string;
  readonly ciphertext: string;
}

/** Which turn this is of how many: they follow each other in one run, and runs do. */
export interface Turn {
  readonly now: number;
  readonly turn: number;
}

/**
 * Selects up to `limit` versions ({@link InlineVersion}) whose KV copy is not known to be there although it should be, but
 * for those in quarantine.
 */
export function selectNotInKv(db: D1Database, { now, turn }: Turn, limit: number): D1PreparedStatement {
  return db.prepare(fairSelect(waiting("put", ["kv_key", "ciphertext"], "created_at"), { limit: "?2", turn: "?3" })).bind(now, limit, turn);
}

/** Selects up to `limit` versions ({@link InlineVersion}) whose KV copy was put long enough ago. */
export function selectSettled(db: D1Database, { now, turn }: Turn, limit: number): D1PreparedStatement {
  return db.prepare(fairSelect(waiting("cleared", ["kv_key", "ciphertext"], "kv_put_at"), { limit: "?2", turn: "?3" })).bind(now, limit, turn);
}

function waiting(which: keyof typeof DUE_CIPHERTEXTS, columns: readonly string[], order: string): Waiting {
  const { table, indexed, due } = DUE_CIPHERTEXTS[which];
  return { table, indexed, due: due("?1"), key: "kv_key", columns, order };
}

const THESE = "kv_key IN (SELECT value FROM json_each(?1)) AND ciphertext IS NOT NULL";

/** Records that the ciphertexts of versions are in KV since `now`. */
export function markInKv(db: D1Database, kvKeys: readonly string[], now: number): D1PreparedStatement {
  return db.prepare(`UPDATE versions SET kv_put_at = ?2, retry_at = NULL WHERE ${THESE} AND kv_put_at IS NULL`).bind(JSON.stringify(kvKeys), now);
}

/** Records that the KV copies of versions are not there after all, so that they are put again. */
export function markNotInKv(db: D1Database, kvKeys: readonly string[]): D1PreparedStatement {
  return db.prepare(`UPDATE versions SET kv_put_at = NULL WHERE ${THESE}`).bind(JSON.stringify(kvKeys));
}

/** Clears the inline copies of versions that are in KV. */
export function clearInline(db: D1Database, kvKeys: readonly string[]): D1PreparedStatement {
  return db.prepare(`UPDATE versions SET ciphertext = NULL WHERE ${THESE} AND kv_put_at IS NOT NULL`).bind(JSON.stringify(kvKeys));
}

/** A KV key that is to be removed. */
export interface NotedRemoval extends Shared {
  readonly kv_key: string;
}

/** Selects up to `limit` KV keys that were noted for removal long enough ago ({@link NotedRemoval}). */
export function selectRemovals(db: D1Database, { now, turn }: Turn, limit: number): D1PreparedStatement {
  return db.prepare(fairSelect(waiting("removed", ["kv_key"], "noted_at"), { limit: "?2", turn: "?3" })).bind(now, limit, turn);
}

/** Forgets KV keys that have been removed. */
export function forgetRemovals(db: D1Database, kvKeys: readonly string[]): D1PreparedStatement {
  return db.prepare("DELETE FROM kv_removals WHERE kv_key IN (SELECT value FROM json_each(?))").bind(JSON.stringify(kvKeys));
}

/** Puts KV keys that could not be removed at the end of the queue. */
export function postponeRemovals(db: D1Database, kvKeys: readonly string[], now: number): D1PreparedStatement {
  return db.prepare("UPDATE kv_removals SET noted_at = ?2 WHERE kv_key IN (SELECT value FROM json_each(?1))").bind(JSON.stringify(kvKeys), now);
}

/** Puts versions in quarantine until `retryAt` whose ciphertexts could not be put into KV, but for those that somebody else has put. */
export function quarantineUnput(db: D1Database, kvKeys: readonly string[], retryAt: number): D1PreparedStatement {
  return db.prepare(`UPDATE versions SET retry_at = ?2 WHERE ${THESE} AND kv_put_at IS NULL`).bind(JSON.stringify(kvKeys), retryAt);
}
