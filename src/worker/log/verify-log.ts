import type { Checkpoint, HeadPayload, Newer, Parsed, VerifyReply } from "../../contract/audit.ts";
import { EVENT_VERSIONS, type EventVersions, newestOf, sha256 } from "../../contract/audit-digest.ts";
import { lostRangeOf } from "../../contract/audit-generation.ts";
import {
  BEGINNING,
  checkEvents,
  endsAt,
  follow,
  openGenerations,
  type SignedGeneration,
  type Standing,
  type StretchFinding,
} from "../../contract/check-chain.ts";
import type { Caller } from "../access/caller.ts";
import type { LogKeys } from "../access/log-keys.ts";
import { verifyPayload } from "../access/sign-payload.ts";
import { type CheckpointRow, type LogExtent, selectCheckpoints, selectExtent } from "../audit/checkpoints.ts";
import { type GenerationRow, selectGenerations } from "../audit/generations.ts";
import { type EventRow, type NewerEvent, selectNewerEvent, selectStretch } from "../audit/read-events.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { rowsOf } from "../store/run-batch.ts";
import { readForCaller } from "../transaction/run-for-caller.ts";
import { checkpointBody, eventBody } from "./event-body.ts";
import { readGeneration } from "./generation.ts";
import { judgeOne } from "./judge-one.ts";
import { readHead } from "./log-head.ts";
import { readRegistry } from "./read-registry.ts";

/** How many checkpoints one call checks; each takes one read of its events. */
const CHECKPOINTS = 200;
const AT_ONCE = 20;

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
  let checked = 0;
  for (let n = AT_ONCE; ; n += AT_ONCE) {
    const { rows, log, unsealed } = await readPage(needs, caller, standing.previous?.number ?? 0);
    const page = await checkPage(needs, caller, standing, rows, log);
    standing = page.standing;
    checked += page.checked;
    const { previous, restored } = standing;
    const atEnd = rows.length < AT_ONCE;
    const firstBad = page.firstBad ?? (atEnd ? endsAt(log.head?.data, standing, log.generations.length) : null);
    if (firstBad === null && !atEnd && n < CHECKPOINTS) continue;
    const newer = firstBad === null ? (standing.newer ?? (atEnd ? newerAtEnd(log, standing, unsealed) : null)) : null;
    const verdict = {
      ok: firstBad === null && newer === null,
      first_bad: firstBad,
      ...(newer && { newer }),
      ...(restored.length > 0 && { restored: [...restored] }),
    };
    const next = firstBad === null && !atEnd ? (previous?.number ?? null) : null;
    return { ...verdict, checked, unsealed: Math.max(0, log.last - (previous?.last_seq ?? 0)), next };
  }
}

interface PageFinding {
  readonly standing: Standing;
  readonly checked: number;
  readonly firstBad: number | null;
}

async function checkPage(needs: Needs, caller: Caller, from: Standing, rows: readonly CheckpointRow[], log: Log): Promise<PageFinding> {
  let [standing, checked] = [await openGenerations(caller.org, from, log.generations), 0];
  if (log.first !== null && log.first <= (log.head?.data.removed_to ?? 0)) return { standing, checked, firstBad: log.first };
  for (const row of rows) {
    const checkpoint = checkpointBody(row);
    const followed = await follow(caller.org, standing, checkpoint, await verifyPayload(needs.logKeys, "keyhole-checkpoint", row.jws));
    if (typeof followed === "number") return { standing, checked, firstBad: followed };
    const stretch = await checkStretch(needs, caller, checkpoint);
    checked += stretch.checked;
    if (stretch.firstBad !== null) return { standing, checked, firstBad: stretch.firstBad };
    standing = await openGenerations(caller.org, { ...followed, newer: followed.newer ?? stretch.newer }, log.generations);
  }
  return { standing, checked, firstBad: null };
}

function newerAtEnd({ head }: Log, { previous }: Standing, unsealed: Newer | null): Newer | null {
  return head?.newer ? { seq: (previous?.last_seq ?? 0) + 1, version: null } : unsealed;
}

async function standingAfter({ db, keyring, logKeys }: Needs, caller: Caller, after: number): Promise<Standing> {
  if (after === 0) return BEGINNING;
  const [found, restores] = await readForCaller({ db, keyring }, caller, [selectCheckpoints(db, caller.org, after - 1, 1), selectGenerations(db, caller.org)]);
  const [row] = rowsOf<CheckpointRow>(found);
  if (row?.number !== after) return BEGINNING;
  const signed = await verifyPayload(logKeys, "keyhole-checkpoint", row.jws);
  const payloads = await Promise.all(rowsOf<GenerationRow>(restores).map((restore) => readGeneration(logKeys, restore)));
  const restored = payloads.flatMap((payload) => (payload && payload.number < after ? [lostRangeOf(payload)] : []));
  const link = { number: after, hash: await sha256(row.jws), generation: restored.length + 1 };
  return { previous: checkpointBody(row), link, restored, unvouchedFrom: signed?.vouched ? null : row.first_seq, newer: null };
}

interface Page {
  readonly rows: readonly CheckpointRow[];
  readonly log: Log;
  /** The first event that is not sealed yet and whose version is not known. */
  readonly unsealed: Newer | null;
}

async function readPage({ db, keyring, logKeys, versions = EVENT_VERSIONS }: Needs, caller: Caller, after: number): Promise<Page> {
  const { org } = caller;
  const [page, extents, newer, restores] = await readForCaller({ db, keyring }, caller, [
    selectCheckpoints(db, org, after, AT_ONCE),
    selectExtent(db, org),
    selectNewerEvent(db, org, newestOf(versions)),
    selectGenerations(db, org),
  ]);
  const [unsealed = null] = rowsOf<NewerEvent>(newer);
  const generations = await Promise.all(
    rowsOf<GenerationRow>(restores).map(async ({ jws }) => ({ jws, signed: await verifyPayload(logKeys, "keyhole-generation", jws) })),
  );
  return { rows: rowsOf<CheckpointRow>(page), log: { ...(await readExtent(logKeys, org, extents)), generations }, unsealed };
}

async function readExtent(logKeys: LogKeys, org: string, extents: D1Result | undefined): Promise<Omit<Log, "generations">> {
  const [{ first, last, head } = { first: null, last: 0, head: null }] = rowsOf<LogExtent>(extents);
  return { first, last, head: await readHead(logKeys, org, head) };
}

async function checkStretch({ db, keyring, logKeys, versions = EVENT_VERSIONS }: Needs, caller: Caller, checkpoint: Checkpoint): Promise<StretchFinding> {
  const { first_seq, last_seq, row_digests } = checkpoint;
  const [events, extents] = await readForCaller({ db, keyring }, caller, [
    selectStretch(db, caller.org, first_seq, row_digests.length),
    selectExtent(db, caller.org),
  ]);
  const { head } = await readExtent(logKeys, caller.org, extents);
  if (head && last_seq <= head.data.removed_to) return { checked: 0, firstBad: null, newer: null };
  const found = rowsOf<EventRow>(events)
    .filter(({ seq }) => seq <= last_seq)
    .map(eventBody);
  return checkEvents(checkpoint, found, versions);
}
