import type { Action, Outcome } from "../../contract/audit.ts";
import { type EventSecret, insertEvent } from "../audit/insert-event.ts";
import { newId } from "./new-id.ts";

/** Who the scheduled run is in the log. */
export const SCHEDULED = "keyhole:scheduled";

/** Inserts an event of the scheduled run itself into an organization's log. */
export function insertOwnEvent(
  db: D1Database,
  org: string,
  action: Action,
  target: string | null,
  at: Date,
  outcome: Outcome = "allowed",
  secrets: readonly EventSecret[] = [],
): D1PreparedStatement {
  const actor = { org, subject: SCHEDULED, tokenId: null, lineage: null, requestId: newId("req"), ip: null, userAgent: null };
  return insertEvent(db, { actor, action, outcome, at, target }, secrets);
}
