import type { HeadPayload, Newer, Parsed, VerifyReply } from "../../contract/audit.ts";
import { EVENT_VERSIONS, type EventVersions, newestOf, sha256 } from "../../contract/audit-digest.ts";
import { lostRangeOf } from "../../contract/audit-generation.ts";
import { beginningOf, checkEvents, endsAt, follow, openGenerations, type SignedGeneration, type Standing } from "../../contract/check-chain.ts";
import type { Caller } from "../access/caller.ts";
import type { LogKeys } from "../access/log-keys.ts";
import { verifyPayload } from "../access/sign-payload.ts";
import { type ArchiveRow, selectArchivesAfter } from "../audit/archives.ts";
import { type CheckpointRow, type LogExtent, selectCheckpoints, selectExtent } from "../audit/checkpoints.ts";
import { type GenerationRow, selectGenerations } from "../audit/generations.ts";
import { type EventRow, type NewerEvent, selectNewerEvent } from "../audit/read-events.ts";
import { pairStretches, selectStretches } from "../audit/stretches.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { rowsOf } from "../store/run-batch.ts";
import { readForCaller } from "../transaction/run-for-caller.ts";
import { IntegrityProblem } from "../transaction/verify-row.ts";
import { type Stretch, stretchBody } from "./archive-body.ts";
import { checkpointBody } from "./event-body.ts";
import { readGeneration } from "./generation.ts";
import { judgeOne } from "./judge-one.ts";
import { readHead } from "./log-head.ts";
import { ArchiveMissingProblem, openArchive } from "./open-archive.ts";
import { readRegistry } from "./read-registry.ts";

/** How many events, and how many checkpoints, one call checks, beside those of its last read. */
const EVENTS = 200_000;
export const CHECKPOINTS = 1_000;
/** How many of each one read has. While they are checked, the next ones are read. */
const READ = { events: 5_000, checkpoints: 500 } as const;

interface Needs {
  readonly db: D1Database;
  readonly kv: KVNamespace;
  readonly keyring: Keyring;
  readonly logKeys: LogKeys;
  readonly now: Date;
  /** The versions of events that are known, if not those of this code. */
  readonly versions?: EventVersions;
}

/** What a verification comes to. `next` is the checkpoint to go on after, `null` at the end of the log. */
export type Verification = Omit<VerifyReply, "next_cursor"> & { readonly next: number | null };

/** What there is of a log, and what its head says. It is read with what is judged by it: the scheduled run may be at work. */
interface Log {
  readonly first: number | null;
  readonly last: number;
  /** The last checkpoint that D1 has; 0 for none. The end of a log is never in the archive. */
  readonly number: number;
  readonly head: Parsed<HeadPayload> | undefined;
  readonly generations: readonly SignedGeneration[];
}

/**
 * Recomputes the sealed part of the organization's log against its checkpoints, and judges it by the registry. What only
 * a later Keyhole can check (a Worker may have been rolled back) is found neither good nor bad, and all else is checked
 * all the same.
 *
 * @param after The checkpoint to begin after; 0 for the beginning.
 * @throws {Problem} `forbidden`, `storage-unavailable`, also when the registry cannot be read.
 */
export async function verifyLog(needs: Needs, caller: Caller, after: number): Promise<Verification> {
  caller.require("audit:read");
  // Before the log, which has then come at least as far.
  const registry = await readRegistry(needs);
  const { next, ...found } = await verifyChain(needs, caller, after);
  if (found.first_bad !== null) return { ...found, reason: "changed", next };
  const judged = await judgeOne(needs, caller, registry);
  if (judged.reason === undefined) return { ...found, ...(found.newer && { reason: "newer" }), next };
  return { ...found, ok: false, first_bad: judged.first_bad, reason: judged.reason, next: judged.reason === "registry-lost" ? next : null };
}

async function verifyChain(needs: Needs, caller: Caller, after: number): Promise<Verification> {
  let standing = await standingAfter(needs, caller, after);
  let [checked, checkpoints] = [0, 0];
  for (let page = await readPage(needs, caller, standing.passed.number); ; ) {
    checkpoints += page.stretches.length;
    const enough = checkpoints >= CHECKPOINTS || checked >= EVENTS;
    const [found, ahead] = await Promise.all([
      checkPage(needs, caller.org, standing, page),
      page.atEnd || enough ? undefined : readPage(needs, caller, page.to),
    ]);
    standing = found.standing;
    checked += found.checked;
    const firstBad = found.firstBad ?? (page.atEnd ? endsAt(page.log.head?.data, standing, page.log.generations.length) : null);
    if (firstBad !== null || !ahead) return verdict(page, standing, checked, firstBad);
    page = ahead;
  }
}

function verdict({ log, unsealed, atEnd }: Page, standing: Standing, checked: number, firstBad: number | null): Verification {
  const { passed, restored } = standing;
  const newer = firstBad === null ? (standing.newer ?? (atEnd ? newerAtEnd(log, standing, unsealed) : null)) : null;
  return {
    ok: firstBad === null && newer === null,
    first_bad: firstBad,
    ...(newer && { newer }),
    ...(restored.length > 0 && { restored: [...restored] }),
    checked,
    unsealed: Math.max(0, log.last - passed.last_seq),
    next: firstBad === null && !atEnd ? passed.number : null,
  };
}

interface PageFinding {
  readonly standing: Standing;
  readonly checked: number;
  readonly firstBad: number | null;
}

async function checkPage({ logKeys, versions = EVENT_VERSIONS }: Needs, org: string, from: Standing, { stretches, broken, log }: Page): Promise<PageFinding> {
  const removedTo = log.head?.data.removed_to ?? 0;
  let [standing, checked] = [await openGenerations(org, goOn(from, log), log.generations), 0];
  if (log.first !== null && log.first <= removedTo) return { standing, checked, firstBad: log.first };
  for (const { checkpoint, events } of stretches) {
    const followed = await follow(org, standing, checkpoint, await verifyPayload(logKeys, "keyhole-checkpoint", checkpoint.jws));
    if (typeof followed === "number") return { standing, checked, firstBad: followed };
    // What once was removed left its checkpoints.
    const removed = checkpoint.last_seq <= removedTo;
    const stretch = removed ? { checked: 0, firstBad: null, newer: null } : await checkEvents(checkpoint, events, versions);
    checked += stretch.checked;
    if (stretch.firstBad !== null) return { standing, checked, firstBad: stretch.firstBad };
    standing = await openGenerations(org, { ...followed, newer: followed.newer ?? stretch.newer }, log.generations);
  }
  return { standing, checked, firstBad: broken };
}

/** Where the check stands, unless that much of the log has been removed meanwhile because of its age. */
function goOn(from: Standing, { head, generations }: Log): Standing {
  const beginning = beginningOf(head?.data, generations);
  return from.passed.number < beginning.passed.number ? { ...beginning, newer: from.newer } : from;
}

function newerAtEnd({ head }: Log, { passed }: Standing, unsealed: Newer | null): Newer | null {
  return head?.newer ? { seq: passed.last_seq + 1, version: null } : unsealed;
}

async function standingAfter(needs: Needs, caller: Caller, after: number): Promise<Standing> {
  const beginning = beginningOf(undefined, []);
  if (after === 0) return beginning;
  const { db, logKeys } = needs;
  const [found, archives, restores] = await readForCaller(needs, caller, [
    selectCheckpoints(db, caller.org, after - 1, 1),
    selectArchivesAfter(db, caller.org, after - 1, 1),
    selectGenerations(db, caller.org),
  ]);
  const [row] = rowsOf<CheckpointRow>(found);
  const checkpoint = row?.number === after ? checkpointBody(row) : await findArchived(needs, after, rowsOf<ArchiveRow>(archives)[0]);
  if (!checkpoint) return beginning;
  const signed = await verifyPayload(logKeys, "keyhole-checkpoint", checkpoint.jws);
  const payloads = await Promise.all(rowsOf<GenerationRow>(restores).map((restore) => readGeneration(logKeys, restore)));
  const restored = payloads.flatMap((payload) => (payload && payload.number < after ? [lostRangeOf(payload)] : []));
  const link = { number: after, hash: await sha256(checkpoint.jws), generation: restored.length + 1 };
  return { passed: checkpoint, link, restored, unvouchedFrom: signed?.vouched ? null : checkpoint.first_seq, newer: null };
}

async function findArchived(needs: Needs, number: number, row: ArchiveRow | undefined) {
  if (!row || row.first_number > number) return undefined;
  return (await openUnlessBroken(needs, row))?.find(({ checkpoint }) => checkpoint.number === number)?.checkpoint;
}

interface Page {
  readonly stretches: readonly Stretch[];
  /** The next page begins after this checkpoint. */
  readonly to: number;
  readonly atEnd: boolean;
  /** The first event of an archive that cannot be opened; `null` for none. */
  readonly broken: number | null;
  readonly log: Log;
  /** The first event that is not sealed yet and whose version is not known. */
  readonly unsealed: Newer | null;
}

/** Reads the stretches after a checkpoint that come next, from D1 or the next archive, and what they are judged by. */
async function readPage(needs: Needs, caller: Caller, after: number): Promise<Page> {
  const { db, versions = EVENT_VERSIONS } = needs;
  const { org } = caller;
  const [archives, checkpoints, events, extents, newer, restores] = await readForCaller(needs, caller, [
    selectArchivesAfter(db, org, after, 1),
    ...selectStretches(db, { org, after, to: Number.MAX_SAFE_INTEGER, ...READ }),
    selectExtent(db, org),
    selectNewerEvent(db, org, newestOf(versions)),
    selectGenerations(db, org),
  ]);
  const log = await readExtent(needs.logKeys, org, extents, restores);
  const [unsealed = null] = rowsOf<NewerEvent>(newer);
  const [archive] = rowsOf<ArchiveRow>(archives);
  const [first] = rowsOf<CheckpointRow>(checkpoints);
  if (archive && !(first && first.number < archive.first_number)) {
    const opened = await openUnlessBroken(needs, archive);
    const stretches = opened?.filter(({ checkpoint }) => checkpoint.number > after) ?? [];
    return { stretches, to: archive.last_number, atEnd: false, broken: opened ? null : archive.first_seq, log, unsealed };
  }
  const stretches = pairStretches(rowsOf<CheckpointRow>(checkpoints), rowsOf<EventRow>(events), READ.events).map(stretchBody);
  const to = stretches.at(-1)?.checkpoint.number ?? after;
  return { stretches, to, atEnd: stretches.length === 0 || to >= log.number, broken: null, log, unsealed };
}

/** What an archive has; `undefined` when it is gone, or not what was put there. */
async function openUnlessBroken(needs: Needs, row: ArchiveRow): Promise<Stretch[] | undefined> {
  try {
    return await openArchive(needs, row);
  } catch (error) {
    if (error instanceof ArchiveMissingProblem || error instanceof IntegrityProblem) return undefined;
    throw error;
  }
}

async function readExtent(logKeys: LogKeys, org: string, extents: D1Result | undefined, restores: D1Result | undefined): Promise<Log> {
  const [{ first, last, number, head } = { first: null, last: 0, number: 0, head: null }] = rowsOf<LogExtent>(extents);
  const generations = await Promise.all(
    rowsOf<GenerationRow>(restores).map(async ({ jws }) => ({ jws, signed: await verifyPayload(logKeys, "keyhole-generation", jws) })),
  );
  return { first, last, number, head: await readHead(logKeys, org, head), generations };
}
