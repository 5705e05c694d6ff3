/** How many rows are counted of anything at the most, and one more that says that there are more. */
const COUNTED = 1_001;

/** What of an organization is due or in doubt, each counted up to 1,000 and one, and when the next secret is due, in milliseconds since 1970. */
export interface OrgGauges {
  readonly rotation: number;
  readonly expiry: number;
  readonly next_rotation: number | null;
  readonly next_expiry: number | null;
  readonly broken_rows: number;
  readonly lost_values: number;
  readonly failed_logs: number;
  readonly unsealed: number;
  readonly undigested: number;
}

const counted = (from: string) => `(SELECT COUNT(*) FROM (SELECT 1 FROM ${from} LIMIT ${COUNTED}))`;
const due = (column: string) => ({
  now: counted(`secrets WHERE org = ?1 AND deleted_at IS NULL AND ${column} IS NOT NULL AND ${column} <= ?2`),
  next: `(SELECT MIN(${column}) FROM secrets WHERE org = ?1 AND deleted_at IS NULL AND ${column} IS NOT NULL AND ${column} > ?2)`,
});
const waiting = (job: "seal" | "secrets") => `last - MIN(last, COALESCE((SELECT m.seq FROM audit_marks m WHERE m.job = '${job}' AND m.org = ?1), 0))`;

/** Selects that of one organization ({@link OrgGauges}), by indexes that begin with it. */
export function selectOrgGauges(db: D1Database, org: string, now: number): D1PreparedStatement {
  const [rotation, expiry] = [due("rotation_due_at"), due("expires_at")];
  return db
    .prepare(
      `SELECT ${rotation.now} AS rotation, ${expiry.now} AS expiry, ${rotation.next} AS next_rotation, ${expiry.next} AS next_expiry,
         ${counted("integrity_failures WHERE org = ?1")} AS broken_rows, ${counted("lost_values WHERE org = ?1")} AS lost_values,
         ${counted("audit_marks WHERE failed = 1 AND org = ?1")} AS failed_logs, ${waiting("seal")} AS unsealed, ${waiting("secrets")} AS undigested
       FROM (SELECT COALESCE(MAX(seq), 0) AS last FROM audit_events WHERE org = ?1)`,
    )
    .bind(org, now);
}
