import { OUTCOMES } from "../../contract/actions.ts";
import type {
  AcceptedRestorations,
  AnchorReply,
  AuditEvent,
  AuditPage,
  Checkpoint,
  CheckpointPage,
  LeaseNote,
  LostRange,
  Restoration,
  RestorationsReply,
  VerifyReply,
} from "../types/audit.ts";
import { count, flag, listOf, objectOf, oneOf, optional, orNull, pageOf, type Reader, text, time, word } from "./reader.ts";

const lease: Reader<LeaseNote> = objectOf({
  id: text,
  until: optional(time),
  max_uses: optional(count),
  uses: optional(count),
  final: optional(flag),
  calls: optional(
    objectOf({
      requests: listOf(objectOf({ request: text, count })),
      other_requests: count,
      statuses: listOf(objectOf({ status: count, count })),
      sent_bytes: count,
      received_bytes: count,
    }),
  ),
});

export const auditEvent: Reader<AuditEvent> = objectOf({
  version: optional(count),
  seq: count,
  at: time,
  org: text,
  actor: text,
  token_id: orNull(text),
  issuer: optional(orNull(text)),
  action: word(),
  outcome: oneOf(...OUTCOMES),
  secrets: listOf(objectOf({ id: orNull(text), name: orNull(text), scope: orNull(text), version: orNull(count) })),
  secrets_total: optional(count),
  target: orNull(text),
  request_id: text,
  ip: orNull(text),
  user_agent: orNull(text),
  lease: optional(lease),
});
export const auditPage: Reader<AuditPage> = pageOf("events", auditEvent);

const checkpoint: Reader<Checkpoint> = objectOf({
  number: count,
  first_seq: count,
  last_seq: count,
  last_at: time,
  row_digests: listOf(text),
  jws: text,
});
export const checkpointPage: Reader<CheckpointPage> = objectOf({
  checkpoints: listOf(checkpoint),
  head: orNull(text),
  generations: optional(listOf(text)),
  next_cursor: orNull(text),
});

const lostRange: Reader<LostRange> = objectOf({ generation: count, first_seq: count, last_seq: count, at: time, by: text });
export const verifyReply: Reader<VerifyReply> = objectOf({
  ok: flag,
  checked: count,
  unsealed: count,
  first_bad: orNull(count),
  newer: optional(objectOf({ seq: count, version: orNull(count) })),
  reason: optional(oneOf("changed", "newer", "behind", "differs", "registry-lost")),
  restored: optional(listOf(lostRange)),
  next_cursor: orNull(text),
});

export const anchorReply: Reader<AnchorReply> = objectOf({ anchor: text, next_cursor: orNull(text) });

const restoration: Reader<Restoration> = objectOf({
  org: text,
  generation: count,
  after: count,
  lost: objectOf({ first_seq: count, last_seq: count }),
  lost_revocations: orNull(objectOf({ first: count, last: count })),
  acceptable: flag,
});
export const restorationsReply: Reader<RestorationsReply> = objectOf({ restorations: listOf(restoration), unnamed: count, digest: text });
export const acceptedRestorations: Reader<AcceptedRestorations> = objectOf({ accepted: listOf(text) });
