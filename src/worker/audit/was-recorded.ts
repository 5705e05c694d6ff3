import type { Action } from "../../contract/audit.ts";

/** How many of the last events are looked at: more than a log can grow by while a request waits for its transaction. */
const RECENT = 1_000;

/** Selects a row (`seq`) if an event of this request and action, that comes after another one, is among the last ones of the organization's log. */
export function selectRecorded(db: D1Database, org: string, requestId: string, action: Action, after: number): D1PreparedStatement {
  return db
    .prepare(
      `SELECT seq FROM audit_events WHERE org = ?1 AND seq > (SELECT MAX(seq) FROM audit_events WHERE org = ?1) - ${RECENT}
         AND request_id = ?2 AND action = ?3 AND outcome = 'allowed' AND seq > ?4
       ORDER BY seq DESC LIMIT 1`,
    )
    .bind(org, requestId, action, after);
}
