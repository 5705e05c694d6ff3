import * as z from "zod";
import { type AuditEvent, auditEventSchema, type Checkpoint, type LeaseNote, leaseCallsSchema } from "../../contract/audit.ts";
import { formatTime } from "../../contract/time.ts";
import type { CheckpointRow } from "../audit/checkpoints.ts";
import type { EventRow } from "../audit/read-events.ts";

/**
 * An audit event as replies show it, and as its digest is made. Of an event of a version that is not known here it has the
 * members that are. A row that somebody made unreadable comes with what is
 * left of it, so that it is shown, and found not to be what was sealed.
 */
export function eventBody(row: EventRow): AuditEvent {
  const { version, seq, org, actor, token_id, action, outcome, target, request_id, ip, user_agent, lease, secrets_total, issuer } = row;
  return {
    ...{ version, seq, at: timeOf(row.at), org, actor, token_id },
    // What the digest of its version does not cover is not said of an event.
    ...(version >= 5 && { issuer }),
    ...{ action, outcome, secrets: secretsOf(row.secrets), target, request_id, ip, user_agent },
    ...(lease !== null && version >= 3 && { lease: leaseOf(lease, version) }),
    ...(secrets_total !== null && version >= 4 && { secrets_total }),
  };
}

/** A checkpoint as replies show it. */
export function checkpointBody({ number, first_seq, last_seq, last_at, row_digests, jws }: CheckpointRow): Checkpoint {
  return { number, first_seq, last_seq, last_at: timeOf(last_at), row_digests: digestsOf(row_digests), jws };
}

const secretsSchema = auditEventSchema.shape.secrets;
const digestsSchema = z.array(z.string());
const LAST_TIME = 8_640_000_000_000_000;

function timeOf(milliseconds: number): string {
  return formatTime(Math.min(Math.max(milliseconds, -LAST_TIME), LAST_TIME));
}

/** Only what is written as JSON writes it, so that nothing can be added that is not in the digest. */
function secretsOf(text: string): AuditEvent["secrets"] {
  const written = parse(text);
  const { data } = secretsSchema.safeParse(written);
  const shown = data?.every((secret, n) => Object.keys((written as object[])[n] ?? {}).length === Object.keys(secret).length);
  return data && shown && JSON.stringify(written) === text ? data : [UNREADABLE];
}

const storedLeaseSchema = z.strictObject({
  id: z.string(),
  until: z.int().optional(),
  max_uses: z.int().optional(),
  uses: z.int().optional(),
  final: z.boolean().optional(),
  calls: leaseCallsSchema.optional(),
} satisfies Record<keyof LeaseNote, z.ZodType>);

/** As above. */
function leaseOf(text: string, version: number): LeaseNote {
  const { data } = storedLeaseSchema.safeParse(parse(text));
  if (!data || JSON.stringify(data) !== text || (data.calls && version < 6)) return { id: "(unreadable)" };
  const { until, ...rest } = data;
  return { ...rest, ...(until !== undefined && { until: timeOf(until) }) };
}

const UNREADABLE = { id: null, name: "(unreadable)", scope: null, version: null };

function digestsOf(text: string): string[] {
  return digestsSchema.safeParse(parse(text)).data ?? [];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
