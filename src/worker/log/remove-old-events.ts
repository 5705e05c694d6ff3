import type { HeadPayload } from "../../contract/audit.ts";
import type { EventVersions } from "../../contract/audit-digest.ts";
import { checkEvents, parseAsSigned } from "../../contract/check-chain.ts";
import { judgeHead } from "../../contract/judge-log.ts";
import type { LogKeys } from "../access/log-keys.ts";
import { verifyPayload } from "../access/sign-payload.ts";
import { type CheckpointRow, type OldLog, removeEvents, selectOldLogs, selectOldStretches } from "../audit/checkpoints.ts";
import { type GenerationRow, selectGenerations } from "../audit/generations.ts";
import { replaceHead } from "../audit/heads.ts";
import { markFailed, markSeen } from "../audit/marks.ts";
import { type EventRow, selectStretch } from "../audit/read-events.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { GuardError, rowsOf, runBatch } from "../store/run-batch.ts";
import { requireChanges } from "../store/secret-rows.ts";
import { insertOwnEvent } from "../transaction/insert-own-event.ts";
import { checkpointBody, eventBody } from "./event-body.ts";
import { readGeneration } from "./generation.ts";
import { LogError, readReplaceableHead, signHead } from "./log-head.ts";
import { entriesOf, type Registry } from "./registry.ts";

const DAY = 86_400_000;
/** How many logs one run removes from, and how many stretches of each. */
const LOGS = 20;
const STRETCHES = 5;

interface Needs {
  readonly db: D1Database;
  readonly keyring: Keyring;
  readonly logKeys: LogKeys;
  readonly retentionDays: number;
  readonly now: Date;
  /** What the registry says, read before; `undefined` when it could not be: then nothing is removed. */
  readonly registry: Registry | undefined;
  /** Organizations whose logs are not what the registry says. */
  readonly accused?: ReadonlySet<string>;
  /** The versions of events that are known, if not those of this code. */
  readonly versions?: EventVersions;
}

/** What a run did. */
export interface RemovedEvents {
  events: number;
  /** Logs with stretches that are not what was signed, by a key that is not known, or of a later Keyhole: they stay. */
  refused: number;
}

/**
 * Removes events that are older than they are kept, in whole sealed stretches that are still what was sealed; their
 * checkpoints stay, so that the rest still verifies. The log's head says up to where it was done, and an event in the
 * log itself. Nothing younger than a day goes, whatever is asked.
 */
export async function removeOldEvents(needs: Needs): Promise<RemovedEvents> {
  const { db, registry, accused, now } = needs;
  const removed: RemovedEvents = { events: 0, refused: 0 };
  if (!registry) return removed;
  const [found] = await runBatch(db, [selectOldLogs(db, dueBefore(needs), now.getTime(), LOGS)]);
  for (const log of rowsOf<OldLog>(found)) {
    const { events, refused } = accused?.has(log.org) ? REFUSED : await removeOrRefuse(needs, registry, log);
    removed.events += events;
    removed.refused += refused;
  }
  return removed;
}

function dueBefore({ retentionDays, now }: Needs): number {
  return now.getTime() - Math.max(1, retentionDays) * DAY;
}

const REFUSED: RemovedEvents = { events: 0, refused: 1 };

async function removeOrRefuse(needs: Needs, registry: Registry, log: OldLog): Promise<RemovedEvents> {
  try {
    const { events, bad } = await removeStretches(needs, registry, log);
    return { events, refused: bad ? await refuse(needs, events === 0 ? log : { ...log, head: null }) : 0 };
  } catch (error) {
    // Another run has removed it, or something was sealed: the next run sees what is left.
    if (error instanceof GuardError) return { events: 0, refused: 0 };
    if (!(error instanceof LogError)) throw error;
    return { events: 0, refused: await refuse(needs, log) };
  }
}

/** Leaves a log alone for a while. Returns 1, or 0 when another run has changed it meanwhile. */
async function refuse({ db, now }: Needs, { org, head }: { org: string; head: string | null }): Promise<number> {
  const [marked] = await runBatch(db, [markFailed(db, "retention", org, now.getTime(), head)]);
  return rowsOf(marked).length;
}

async function removeStretches(needs: Needs, registry: Registry, log: OldLog): Promise<CheckedStretches> {
  const { db, keyring, logKeys, now } = needs;
  const { org, removed_to, head: was } = log;
  const head = await requireRemovable({ keyring, logKeys }, registry, log);
  const [found] = await runBatch(db, [selectOldStretches(db, org, removed_to, dueBefore(needs), STRETCHES)]);
  const checked = await checkStretches(needs, org, removed_to, rowsOf<CheckpointRow>(found));
  const { events, to } = checked;
  if (events === 0) return checked;
  const next = await signHead(logKeys, { ...head, removed_to: to });
  await runBatch(db, [
    replaceHead(db, next, was, now.getTime()),
    requireChanges(db, 1),
    ...removeEvents(db, org, to),
    markSeen(db, "retention", [{ org, done: removed_to, to }], now.getTime()),
    insertOwnEvent(db, org, "audit.retention", `removed:${removed_to + 1}:${to}`, now),
  ]);
  return checked;
}

async function requireRemovable({ keyring, logKeys }: Pick<Needs, "keyring" | "logKeys">, registry: Registry, log: OldLog): Promise<HeadPayload> {
  const head = await readReplaceableHead(logKeys, log.org, log.head);
  if (!head || head.removed_to !== log.removed_to) throw new LogError("the head of a log is not what was signed");
  const entries = await entriesOf(registry, keyring, log.org);
  if (entries.some((entry) => judgeHead(entry, head) !== null)) throw new LogError("a log is not as far as it is on record to have been");
  return head;
}

interface CheckedStretches {
  /** How many events the good ones have, up to which. */
  readonly events: number;
  readonly to: number;
  /** Whether one after them is not good. */
  readonly bad: boolean;
}

async function checkStretches(needs: Needs, org: string, removedTo: number, stretches: readonly CheckpointRow[]): Promise<CheckedStretches> {
  let [events, to] = [0, removedTo];
  for (const stretch of stretches) {
    if (!(await goesOnFrom(needs, org, to, stretch)) || !(await isAsSealed(needs, org, stretch))) return { events, to, bad: true };
    events += stretch.last_seq - stretch.first_seq + 1;
    to = stretch.last_seq;
  }
  return { events, to, bad: false };
}

/** Whether a stretch is the next one after an event. Only a restore that was accepted leaves numbers out, and no event in between. */
async function goesOnFrom({ db, logKeys }: Needs, org: string, to: number, { first_seq }: CheckpointRow): Promise<boolean> {
  if (first_seq === to + 1) return true;
  const [generations, events] = await runBatch(db, [selectGenerations(db, org), selectStretch(db, org, to + 1, 1)]);
  const payloads = await Promise.all(rowsOf<GenerationRow>(generations).map((row) => readGeneration(logKeys, row)));
  return payloads.some((payload) => payload?.org === org && payload.lost.last_seq + 1 === first_seq) && rowsOf<EventRow>(events)[0]?.seq === first_seq;
}

/** Whether a stretch is what was signed, all of it, and of no later Keyhole. */
async function isAsSealed({ db, logKeys, versions }: Needs, org: string, stretch: CheckpointRow): Promise<boolean> {
  const checkpoint = checkpointBody(stretch);
  const signed = await verifyPayload(logKeys, "keyhole-checkpoint", stretch.jws);
  const parsed = signed?.vouched ? await parseAsSigned(org, checkpoint, signed) : undefined;
  if (!parsed || parsed.newer) return false;
  const [events] = await runBatch(db, [selectStretch(db, org, stretch.first_seq, checkpoint.row_digests.length)]);
  const { firstBad, newer } = await checkEvents(checkpoint, rowsOf<EventRow>(events).map(eventBody), versions);
  return firstBad === null && newer === null;
}
