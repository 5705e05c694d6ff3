import { LOGGED_ORGS } from "./marks.ts";

/** How many events wait for a job, and a time of the oldest, in milliseconds since 1970; `null` for none. */
export interface WaitingEvents {
  readonly events: number;
  readonly since: number | null;
}

/**
 * Selects how many events a job has not come to, and when the oldest was ({@link WaitingEvents}). Logs on which it failed,
 * or that are accused, are not waited for: they are counted as such. It reads a few rows for each organization.
 */
export function selectUnseenEvents(db: D1Database, job: "seal" | "secrets"): D1PreparedStatement {
  return db
    .prepare(
      `WITH RECURSIVE ${LOGGED_ORGS},
       logs (org, done, last) AS (
         SELECT o.org, COALESCE(m.seq, 0), (SELECT MAX(e.seq) FROM audit_events e WHERE e.org = o.org)
         FROM orgs o LEFT JOIN audit_marks m ON m.job = ?1 AND m.org = o.org
           LEFT JOIN audit_marks r ON r.job = 'registry' AND r.org = o.org
         WHERE o.org IS NOT NULL AND COALESCE(m.failed, 0) = 0 AND COALESCE(r.failed, 0) = 0
       )
       SELECT COALESCE(SUM(last - done), 0) AS events, MIN((SELECT e.at FROM audit_events e WHERE e.org = l.org AND e.seq > l.done ORDER BY e.seq LIMIT 1)) AS since
       FROM logs l WHERE last > done`,
    )
    .bind(job);
}
