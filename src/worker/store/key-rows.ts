import { versionsOf } from "./key-use.ts";

/** A version's wrapped data key. */
export interface WrappedRow {
  readonly secret_id: string;
  readonly version: number;
  readonly key_id: string;
  readonly wrapped_key: string;
}

/** Selects up to `limit` wrapped keys under one of `keyIds` that are not in quarantine: of one organization, or all for `null` ({@link WrappedRow}). */
export function selectWrapped(db: D1Database, keyIds: readonly string[], org: string | null, now: number, limit: number): D1PreparedStatement {
  return db
    .prepare(
      `SELECT v.secret_id, v.version, v.key_id, v.wrapped_key ${versionsOf(org)}
       AND v.key_id IN (SELECT value FROM json_each(?2)) AND (v.retry_at IS NULL OR v.retry_at <= ?3) LIMIT ?4`,
    )
    .bind(org, JSON.stringify(keyIds), now, limit);
}

/** A wrapped key, and what takes its place. */
export interface Rewrapped {
  readonly secret_id: string;
  readonly version: number;
  readonly was: string;
  readonly key_id: string;
  readonly wrapped_key: string;
}

/** Replaces wrapped keys that are still what they were. */
export function replaceWrapped(db: D1Database, rows: readonly Rewrapped[]): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE versions SET key_id = j.value ->> 'key_id', wrapped_key = j.value ->> 'wrapped_key', retry_at = NULL FROM json_each(?) j
       WHERE versions.secret_id = j.value ->> 'secret_id' AND versions.version = j.value ->> 'version' AND versions.wrapped_key = j.value ->> 'was'`,
    )
    .bind(JSON.stringify(rows));
}

/** Puts versions in quarantine until `retryAt` whose wrapped key is still what could not be unwrapped. */
export function quarantineWrapped(db: D1Database, rows: readonly Omit<WrappedRow, "key_id">[], retryAt: number): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE versions SET retry_at = ?2 FROM json_each(?1) j
       WHERE versions.secret_id = j.value ->> 'secret_id' AND versions.version = j.value ->> 'version' AND versions.wrapped_key = j.value ->> 'wrapped_key'`,
    )
    .bind(JSON.stringify(rows), retryAt);
}

/** What scheduled work has before it that does not get done by itself. Each is counted up to {@link COUNTED}. */
export interface Deferred {
  /** Versions in quarantine: scheduled work failed on them, and they wait for another try. */
  readonly set_aside: number;
  /** Values that are still as another store had them. */
  readonly legacy_plaintext: number;
  /** Audit logs that do not match what was signed, or that a key signed which is not known: they are not sealed, or not shortened. */
  readonly audit_logs: number;
  /** Rows that are not what this deployment wrote: they count for nothing, and calls that need them are refused. */
  readonly integrity_failures: number;
  /** Versions whose ciphertext was found not to be there, or not to open. */
  readonly lost_values: number;
  /** Leases of the last day that ended without their last count: an isolate was lost. */
  readonly leases_unsettled: number;
}

/** Whoever asks whether the Worker is ready must not make D1 count millions. */
const COUNTED = 10_000;

const count = (table: string, condition: string) => `(SELECT COUNT(*) FROM (SELECT 1 FROM ${table} WHERE ${condition} LIMIT ${COUNTED}))`;

/** Selects how much of each there is ({@link Deferred}). */
export function selectDeferred(db: D1Database): D1PreparedStatement {
  return db.prepare(
    `SELECT ${count("versions", "retry_at IS NOT NULL")} AS set_aside, ${count("versions", "legacy_plaintext IS NOT NULL")} AS legacy_plaintext,
       ${count("audit_marks", "failed = 1")} AS audit_logs,
       ${count("integrity_failures", "true")} AS integrity_failures, ${count("lost_values", "true")} AS lost_values, ${count("open_leases", "unsettled_at IS NOT NULL")} AS leases_unsettled`,
  );
}
