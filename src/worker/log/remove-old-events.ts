import type { HeadPayload } from "../../contract/audit.ts";
import { judgeHead } from "../../contract/judge-log.ts";
import { removeCheckpoints } from "../audit/checkpoints.ts";
import { type GenerationRow, selectGenerations } from "../audit/generations.ts";
import { replaceHead } from "../audit/heads.ts";
import { markFailed, markSeen } from "../audit/marks.ts";
import { type OldLog, selectOldArchivedLogs, selectOldLogs } from "../audit/old-logs.ts";
import { GuardError, rowsOf, runBatch } from "../store/run-batch.ts";
import { requireChanges } from "../store/secret-rows.ts";
import { insertOwnEvent } from "../transaction/insert-own-event.ts";
import { findRemovableArchives } from "./find-removable-archives.ts";
import { findRemovableStretches, type RemovableStretches } from "./find-removable-stretches.ts";
import { readGeneration } from "./generation.ts";
import { LogError, readReplaceableHead, signHead } from "./log-head.ts";
import type { LogJobNeeds } from "./log-job-needs.ts";
import { entriesOf, type Registry } from "./registry.ts";
import { takeTurns } from "./take-turns.ts";

const DAY = 86_400_000;
/** How many logs come in one round, of those with something in the archive, and of the others. */
const LOGS = 20;

interface Needs extends LogJobNeeds {
  readonly kv: KVNamespace;
  readonly retentionDays: number;
}

/** What a run did. */
export interface RemovedEvents {
  events: number;
  /** Logs with stretches that are not what was signed, by a key that is not known, or of a later Keyhole: they stay. */
  refused: number;
}

/**
 * Removes events that are older than they are kept, in whole sealed stretches that are still what was sealed, with their
 * checkpoints: first what is archived, then what is in D1. The log's head says up to where it was done and after which
 * checkpoint the log begins, so that the rest still verifies; and an event in the log itself says it. Nothing younger than a
 * day goes, whatever is asked.
 */
export async function removeOldEvents(needs: Needs): Promise<RemovedEvents> {
  const { db, registry, now } = needs;
  const removed: RemovedEvents = { events: 0, refused: 0 };
  if (!registry) return removed;
  const select = async (except: string) => {
    const query = { before: dueBefore(needs), now: now.getTime() };
    const results = await runBatch(db, [selectOldArchivedLogs(db, query, except, LOGS), selectOldLogs(db, query, except, LOGS)]);
    const found = results.map((result) => rowsOf<OldLog>(result));
    return { logs: found.flat(), full: found.some(({ length }) => length === LOGS) };
  };
  const work = async (log: OldLog) => {
    const { events, refused, full } = await removeOrRefuse(needs, registry, log);
    removed.events += events;
    removed.refused += refused;
    return events === 0 ? "stuck" : full ? "more" : "done";
  };
  const accused = await takeTurns(needs, { job: "retention", select, work });
  return { ...removed, refused: removed.refused + accused };
}

function dueBefore({ retentionDays, now }: Needs): number {
  return now.getTime() - Math.max(1, retentionDays) * DAY;
}

async function removeOrRefuse(needs: Needs, registry: Registry, log: OldLog): Promise<RemovedEvents & { readonly full: boolean }> {
  try {
    const { events, bad, full } = await removeStretches(needs, registry, log);
    return { events, refused: bad ? await refuse(needs, events === 0 ? log : { ...log, head: null }) : 0, full: full && !bad };
  } catch (error) {
    // Another run has removed it, or something was sealed: the next run sees what is left.
    if (error instanceof GuardError) return { events: 0, refused: 0, full: false };
    if (!(error instanceof LogError)) throw error;
    return { events: 0, refused: await refuse(needs, log), full: false };
  }
}

/** Leaves a log alone for a while. Returns 1, or 0 when another run has changed it meanwhile. */
async function refuse({ db, now }: Needs, { org, head }: { org: string; head: string | null }): Promise<number> {
  const [marked] = await runBatch(db, [markFailed(db, "retention", org, now.getTime(), head)]);
  return rowsOf(marked).length;
}

async function removeStretches(needs: Needs, registry: Registry, log: OldLog): Promise<RemovableStretches> {
  const { db, logKeys, now } = needs;
  const { org, removed_to, head: was } = log;
  const head = await requireRemovable(needs, registry, log);
  const place = { org, after: removed_to, before: dueBefore(needs) };
  const removable = log.archived ? await findRemovableArchives(needs, place) : await findRemovableStretches(needs, place);
  const { events, to, last } = removable;
  if (events === 0) return removable;
  const removed = last && { ...last, generation: await generationAt(needs, org, last.number) };
  const next = await signHead(logKeys, { ...head, removed_to: to, ...(removed && { removed }) });
  await runBatch(db, [
    replaceHead(db, next, was, now.getTime()),
    requireChanges(db, 1),
    ...removable.statements,
    ...(last ? [removeCheckpoints(db, org, last.number)] : []),
    markSeen(db, "retention", [{ org, done: removed_to, to }], now.getTime()),
    insertOwnEvent(db, org, "audit.retention", `removed:${removed_to + 1}:${to}`, now),
  ]);
  return removable;
}

/** In which generation a log was when a checkpoint was made. */
async function generationAt({ db, logKeys }: Needs, org: string, number: number): Promise<number> {
  const [found] = await runBatch(db, [selectGenerations(db, org)]);
  const payloads = await Promise.all(rowsOf<GenerationRow>(found).map((row) => readGeneration(logKeys, row)));
  return payloads.reduce((last, payload) => (payload && payload.number < number ? payload.generation : last), 1);
}

async function requireRemovable({ keyring, logKeys }: Needs, registry: Registry, log: OldLog): Promise<HeadPayload> {
  const head = await readReplaceableHead(logKeys, log.org, log.head);
  if (!head || head.removed_to !== log.removed_to) throw new LogError("the head of a log is not what was signed");
  const entries = await entriesOf(registry, keyring, log.org);
  if (entries.some((entry) => judgeHead(entry, head) !== null)) throw new LogError("a log is not as far as it is on record to have been");
  return head;
}
