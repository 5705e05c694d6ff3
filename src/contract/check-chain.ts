import { type AuditEvent, type Checkpoint, checkpointPayloadSchema, generationOf, type HeadPayload, type Newer, type Parsed, parsePayload } from "./audit.ts";
import { EVENT_VERSIONS, type EventVersions, eventDigests, sha256, type Turn, versionOf, versionOfDigest } from "./audit-digest.ts";
import { generationPayloadSchema, type LostRange, lostRangeOf } from "./audit-generation.ts";

/** What a JWS says. `vouched`: its signature was checked, with a key that is known. */
export interface SignedPayload {
  readonly payload: unknown;
  readonly vouched: boolean;
}

/** A link of the chain: a checkpoint, or a restore that was accepted. The next one names it by its hash. */
export interface Link {
  readonly number: number;
  /** The hash of its JWS; `null` before the first one. */
  readonly hash: string | null;
  readonly generation: number;
}

/** Where a check of the chain stands. */
export interface Standing {
  /** The last checkpoint that was checked, or after which the log begins, and the last event that it seals. */
  readonly passed: Pick<Checkpoint, "number" | "last_seq">;
  /** The last link. */
  readonly link: Link;
  /** The restores so far. */
  readonly restored: readonly LostRange[];
  /** Where the stretches begin that nothing checked so far vouches for, but for a later signature; `null` for none. */
  readonly unvouchedFrom: number | null;
  /** Where what only a later Keyhole can check begins; `null` for nowhere so far. It counts once all is vouched for. */
  readonly newer: Newer | null;
}

/** Before the first checkpoint. */
const BEGINNING: Standing = {
  passed: { number: 0, last_seq: 0 },
  link: { number: 0, hash: null, generation: 1 },
  restored: [],
  unvouchedFrom: null,
  newer: null,
};

/**
 * Where the check of a log begins: before the first checkpoint, or after the last one that was removed because of its age,
 * for which the log's signed head vouches.
 *
 * @param generations What their JWS say, in their order; `undefined` where a signature is wrong.
 */
export function beginningOf(head: HeadPayload | undefined, generations: readonly SignedGeneration[]): Standing {
  if (!head?.removed) return BEGINNING;
  const { number, checkpoint: hash, last_seq, generation } = head.removed;
  const before = generations.slice(0, generation - 1).flatMap(({ signed }) => parsePayload(generationPayloadSchema, signed?.payload)?.data ?? []);
  return {
    ...BEGINNING,
    passed: { number, last_seq },
    link: { number, hash, generation },
    restored: before.map(lostRangeOf),
  };
}

/**
 * Checks that a checkpoint says what its signature covers, and follows from the link before it.
 *
 * @param signed What its JWS says, `undefined` when the signature is wrong.
 * @returns where the check stands then, or the first `seq` that nothing vouches for.
 */
export async function follow(org: string, standing: Standing, checkpoint: Checkpoint, signed: SignedPayload | undefined): Promise<Standing | number> {
  const { unvouchedFrom, link } = standing;
  const follows = checkpoint.number === link.number + 1 && goesOnAt(standing, checkpoint.first_seq);
  const parsed = follows ? await parseAsSigned(org, checkpoint, signed) : undefined;
  if (parsed?.data.previous !== link.hash || !parsed) return unvouchedFrom ?? nextOf(standing);
  const newer = standing.newer ?? (parsed.newer ? { seq: checkpoint.first_seq, version: null } : null);
  return {
    ...standing,
    passed: checkpoint,
    link: { number: checkpoint.number, hash: await sha256(checkpoint.jws), generation: link.generation },
    unvouchedFrom: signed?.vouched ? null : (unvouchedFrom ?? checkpoint.first_seq),
    newer,
  };
}

/** Numbers go on without gaps, but for one after a restore: from where they were on record to have come. */
function goesOnAt(standing: Standing, firstSeq: number): boolean {
  const lost = standing.restored.at(-1)?.last_seq ?? 0;
  return firstSeq === nextOf(standing) || (firstSeq === lost + 1 && firstSeq > nextOf(standing));
}

/** The first event that the next checkpoint can seal. */
function nextOf({ passed }: Pick<Standing, "passed">): number {
  return passed.last_seq + 1;
}

/**
 * Takes the restores that follow from where the check stands. One that does not is left, and then the log's end does not
 * fit either.
 *
 * @param generations What their JWS say, in their order, from the first one on; `undefined` where a signature is wrong.
 */
export async function openGenerations(org: string, standing: Standing, generations: readonly (SignedGeneration | undefined)[]): Promise<Standing> {
  let now = standing;
  for (let next = generations[now.link.generation - 1]; next; next = generations[now.link.generation - 1]) {
    const { data } = parsePayload(generationPayloadSchema, next.signed?.payload) ?? {};
    const { link } = now;
    const follows = data?.org === org && data.generation === link.generation + 1 && data.after.number === link.number && data.after.checkpoint === link.hash;
    if (!follows) break;
    now = {
      ...now,
      link: { number: data.number, hash: await sha256(next.jws), generation: data.generation },
      restored: [...now.restored, lostRangeOf(data)],
      unvouchedFrom: next.signed?.vouched ? null : (now.unvouchedFrom ?? nextOf(now)),
    };
  }
  return now;
}

/** The JWS of a restore, and what it says. */
export interface SignedGeneration {
  readonly jws: string;
  readonly signed: SignedPayload | undefined;
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
 * The end of a check: the log's head names the last link, and vouches for all before it.
 *
 * @param generations How many restores the log says it had.
 * @returns the first `seq` that nothing vouches for, or `null`.
 */
export function endsAt(head: HeadPayload | undefined, standing: Standing, generations: number): number | null {
  const { link, unvouchedFrom } = standing;
  const named = head !== undefined && head.number === link.number && head.checkpoint === link.hash && generationOf(head) === link.generation;
  return named && link.generation === generations + 1 ? null : (unvouchedFrom ?? nextOf(standing));
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
 * @param turn What is awaited between some of them ({@link eventDigests}).
 */
export async function checkEvents(
  { first_seq, row_digests }: Checkpoint,
  events: readonly AuditEvent[],
  versions: EventVersions = EVENT_VERSIONS,
  turn?: Turn,
): Promise<StretchFinding> {
  const known = (version: number) => Object.hasOwn(versions, version);
  const digests = await eventDigests(versions, events, turn);
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
