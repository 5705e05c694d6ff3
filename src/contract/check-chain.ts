import { type AuditEvent, type Checkpoint, checkpointPayloadSchema, type HeadPayload } from "./audit.ts";
import { eventDigest, sha256 } from "./audit-digest.ts";

/** What a JWS says. `vouched`: its signature was checked, with a key that is known. */
export interface Statement {
  readonly payload: unknown;
  readonly vouched: boolean;
}

/** Where a check of the chain stands. */
export interface Standing {
  /** The last checkpoint that was checked. */
  readonly previous: Checkpoint | null;
  /** Where the stretches begin that nothing checked so far vouches for, but for a later signature; `null` for none. */
  readonly unvouchedFrom: number | null;
}

/** Before the first checkpoint. */
export const BEGINNING: Standing = { previous: null, unvouchedFrom: null };

/**
 * Checks that a checkpoint says what its signature covers, and follows from the one before it.
 *
 * @param statement What its JWS says, `undefined` when the signature is wrong.
 * @returns where the check stands then, or the first `seq` that nothing vouches for.
 */
export async function follow(
  org: string,
  { previous, unvouchedFrom }: Standing,
  checkpoint: Checkpoint,
  statement: Statement | undefined,
): Promise<Standing | number> {
  const follows = checkpoint.number === (previous?.number ?? 0) + 1 && checkpoint.first_seq === (previous?.last_seq ?? 0) + 1;
  const { data } = checkpointPayloadSchema.safeParse(statement?.payload);
  const linked = follows && (await isAsSigned(org, checkpoint, statement)) && data?.previous === (previous && (await sha256(previous.jws)));
  if (!linked) return unvouchedFrom ?? (previous?.last_seq ?? 0) + 1;
  return { previous: checkpoint, unvouchedFrom: statement?.vouched ? null : (unvouchedFrom ?? checkpoint.first_seq) };
}

/** Whether a checkpoint says what its JWS says. */
export async function isAsSigned(
  org: string,
  { number, first_seq, last_seq, last_at, row_digests }: Checkpoint,
  statement: Statement | undefined,
): Promise<boolean> {
  const { data } = checkpointPayloadSchema.safeParse(statement?.payload);
  if (!data || row_digests.length !== last_seq - first_seq + 1) return false;
  const same = data.org === org && data.number === number && data.first_seq === first_seq && data.last_seq === last_seq && data.last_at === last_at;
  return same && data.rows === (await sha256(row_digests.join("")));
}

/**
 * The end of a check: the log's head names the last checkpoint, and vouches for all before it.
 *
 * @returns the first `seq` that nothing vouches for, or `null`.
 */
export async function endsAt(head: HeadPayload | undefined, { previous, unvouchedFrom }: Standing): Promise<number | null> {
  const named = head !== undefined && head.number === (previous?.number ?? 0) && head.checkpoint === (previous && (await sha256(previous.jws)));
  return named ? null : (unvouchedFrom ?? (previous?.last_seq ?? 0) + 1);
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
