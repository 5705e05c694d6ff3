import { type AuditEvent, type Checkpoint, checkpointPayloadSchema, type HeadPayload, type Newer, type Parsed, parsePayload } from "./audit.ts";
import { EVENT_VERSIONS, type EventVersions, eventDigestBy, sha256, versionOf, versionOfDigest } from "./audit-digest.ts";

/** What a JWS says. `vouched`: its signature was checked, with a key that is known. */
export interface SignedPayload {
  readonly payload: unknown;
  readonly vouched: boolean;
}

/** Where a check of the chain stands. */
export interface Standing {
  /** The last checkpoint that was checked. */
  readonly previous: Checkpoint | null;
  /** Where the stretches begin that nothing checked so far vouches for, but for a later signature; `null` for none. */
  readonly unvouchedFrom: number | null;
  /** Where what only a later Keyhole can check begins; `null` for nowhere so far. It counts once all is vouched for. */
  readonly newer: Newer | null;
}

/** Before the first checkpoint. */
export const BEGINNING: Standing = { previous: null, unvouchedFrom: null, newer: null };

/**
 * Checks that a checkpoint says what its signature covers, and follows from the one before it.
 *
 * @param signed What its JWS says, `undefined` when the signature is wrong.
 * @returns where the check stands then, or the first `seq` that nothing vouches for.
 */
export async function follow(org: string, standing: Standing, checkpoint: Checkpoint, signed: SignedPayload | undefined): Promise<Standing | number> {
  const { previous, unvouchedFrom } = standing;
  const follows = checkpoint.number === (previous?.number ?? 0) + 1 && checkpoint.first_seq === (previous?.last_seq ?? 0) + 1;
  const parsed = follows ? await parseAsSigned(org, checkpoint, signed) : undefined;
  const linked = parsed !== undefined && parsed.data.previous === (previous && (await sha256(previous.jws)));
  if (!linked) return unvouchedFrom ?? (previous?.last_seq ?? 0) + 1;
  const newer = standing.newer ?? (parsed.newer ? { seq: checkpoint.first_seq, version: null } : null);
  return { previous: checkpoint, unvouchedFrom: signed?.vouched ? null : (unvouchedFrom ?? checkpoint.first_seq), newer };
}

/** What a checkpoint's JWS says, `undefined` when the checkpoint says something else. */
export async function parseAsSigned(
  org: string,
  { number, first_seq, last_seq, last_at, row_digests }: Checkpoint,
  signed: SignedPayload | undefined,
): Promise<Parsed<{ previous: string | null }> | undefined> {
  const parsed = parsePayload(checkpointPayloadSchema, signed?.payload);
  if (!parsed || row_digests.length !== last_seq - first_seq + 1) return undefined;
  const { data } = parsed;
  const same = data.org === org && data.number === number && data.first_seq === first_seq && data.last_seq === last_seq && data.last_at === last_at;
  return same && data.rows === (await sha256(row_digests.join(""))) ? parsed : undefined;
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

/** What a check of a stretch's events found. */
export interface StretchFinding {
  /** How many events were recomputed. */
  readonly checked: number;
  /** The `seq` of the first event that is not as it was sealed: changed, missing, or one too many. */
  readonly firstBad: number | null;
  /** The first event whose version is not known here, so that only its place and its version were checked. */
  readonly newer: Newer | null;
}

/**
 * Checks the events of a sealed stretch against its digests. Each digest says the version of its event, and is signed: an
 * event cannot be made to look like one of a version that is not known here.
 *
 * @param events What there is of the stretch, by `seq`.
 */
export async function checkEvents(
  { first_seq, row_digests }: Checkpoint,
  events: readonly AuditEvent[],
  versions: EventVersions = EVENT_VERSIONS,
): Promise<StretchFinding> {
  const known = (version: number) => Object.hasOwn(versions, version);
  const digests = await Promise.all(events.map((event) => (known(versionOf(event)) ? eventDigestBy(versions, event) : null)));
  const checked = digests.filter((digest) => digest !== null).length;
  let newer: Newer | null = null;
  for (const [n, digest] of row_digests.entries()) {
    const [seq, event, version] = [first_seq + n, events[n], versionOfDigest(digest)];
    if (event?.seq !== seq || version === undefined || versionOf(event) !== version) return { checked, firstBad: seq, newer };
    if (!known(version)) newer ??= { seq, version };
    else if (digests[n] !== digest) return { checked, firstBad: seq, newer };
  }
  const added = events.length > row_digests.length ? (events[row_digests.length]?.seq ?? first_seq) : null;
  return { checked, firstBad: added, newer };
}
