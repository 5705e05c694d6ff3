import { type AuditEvent, type Checkpoint, checkpointPayloadSchema } from "./audit.ts";
import { eventDigest, sha256 } from "./audit-digest.ts";

/** A checkpoint, and what came before it. */
export interface ChainLink {
  readonly org: string;
  readonly checkpoint: Checkpoint;
  /** The checkpoint before this one, `null` for the first. */
  readonly previous: Pick<Checkpoint, "number" | "last_seq" | "jws"> | null;
  /** The payload of the checkpoint's JWS, `undefined` when its signature is wrong. */
  readonly payload: unknown;
}

/** Whether a checkpoint says what its signature covers, and follows from the one before it. */
export async function isLinked({ org, checkpoint, previous, payload }: ChainLink): Promise<boolean> {
  const { data } = checkpointPayloadSchema.safeParse(payload);
  if (!data) return false;
  const { number, first_seq, last_seq, last_at, row_digests } = checkpoint;
  const asSigned = data.org === org && data.number === number && data.first_seq === first_seq && data.last_seq === last_seq && data.last_at === last_at;
  const follows = number === (previous?.number ?? 0) + 1 && first_seq === (previous?.last_seq ?? 0) + 1 && row_digests.length === last_seq - first_seq + 1;
  return asSigned && follows && data.rows === (await sha256(row_digests.join(""))) && data.previous === (previous && (await sha256(previous.jws)));
}

/**
 * The first event of a sealed stretch that is not as it was sealed: changed, missing, or one too many.
 *
 * @param events What there is of the stretch, by `seq`.
 * @returns its `seq`, or `null` when all are as they were.
 */
export async function firstBadEvent({ first_seq, row_digests }: Checkpoint, events: readonly AuditEvent[]): Promise<number | null> {
  const digests = await Promise.all(events.map(eventDigest));
  for (const [n, digest] of row_digests.entries()) {
    if (events[n]?.seq !== first_seq + n || digests[n] !== digest) return first_seq + n;
  }
  return events.length > row_digests.length ? (events[row_digests.length]?.seq ?? first_seq) : null;
}
