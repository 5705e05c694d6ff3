import type { AuditEvent, Checkpoint } from "../../contract/audit.ts";
import { formatTime } from "../../contract/time.ts";
import type { CheckpointRow } from "../audit/checkpoints.ts";
import type { EventRow } from "../audit/read-events.ts";

/** An audit event as replies show it, and as its digest is made. */
export function eventBody(row: EventRow): AuditEvent {
  const { seq, org, actor, token_id, action, outcome, target, request_id, ip, user_agent } = row;
  const secrets = JSON.parse(row.secrets) as AuditEvent["secrets"];
  return { seq, at: formatTime(row.at), org, actor, token_id, action, outcome, secrets, target, request_id, ip, user_agent };
}

/** A checkpoint as replies show it. */
export function checkpointBody({ number, first_seq, last_seq, last_at, row_digests, jws }: CheckpointRow): Checkpoint {
  return { number, first_seq, last_seq, last_at: formatTime(last_at), row_digests: JSON.parse(row_digests) as string[], jws };
}
