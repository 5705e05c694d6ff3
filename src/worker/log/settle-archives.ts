import { type ArchiveRow, dropPending, indexArchive, markArchived, removeArchived, selectPendingArchive } from "../audit/archives.ts";
import { selectPendingArchives } from "../audit/due-archives.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { requireChanges } from "../store/secret-rows.ts";
import { IntegrityProblem, verifyRow } from "../transaction/verify-row.ts";
import { type Stretch, stretchBody, writeArchive } from "./archive-body.ts";
import type { ArchivedEvents, ArchiveNeeds, Attempt } from "./archive-needs.ts";
import { isAsSealed } from "./is-as-sealed.ts";
import { LogError } from "./log-head.ts";
import { ArchiveMissingProblem, readArchiveText } from "./open-archive.ts";
import { readStretches } from "./read-stretches.ts";
import { entriesOf } from "./registry.ts";
import { takeTurns } from "./take-turns.ts";

const MINUTE = 60_000;
/** What is not in KV after this long, in milliseconds, has not been put, or is gone. */
const MISSED_AFTER = 60 * MINUTE;
/** How many logs come in one round. */
const LOGS = 20;

/** Reads back what was put into KV, and lets what is there go from D1. Parts of one log go in their order. */
export async function settleArchives(needs: ArchiveNeeds, attempt: Attempt): Promise<void> {
  const { db, now } = needs;
  const select = async (except: string) => {
    const [found] = await runBatch(db, [selectPendingArchives(db, now.getTime(), except, LOGS)]);
    const logs = rowsOf<ArchiveRow>(found);
    return { logs, full: logs.length === LOGS };
  };
  await takeTurns(needs, { job: "archive", select, work: (row) => attempt(row.org, () => settleArchive(needs, row)) });
}

async function settleArchive(needs: ArchiveNeeds, row: ArchiveRow): Promise<Partial<ArchivedEvents>> {
  const { db, keyring, registry, now } = needs;
  await verifyRow(keyring, "audit_archives", row);
  const stretches = await readInD1(db, row);
  const inKv = row.kv_put_at === null ? undefined : await readBack(needs, row);
  if (inKv !== (await writeArchive(stretches, needs.budget))) return dropOrWait(needs, row, stretches, inKv);
  const entries = registry ? await entriesOf(registry, keyring, row.org) : [];
  if (entries.some(({ number }) => number <= row.last_number)) return {};
  const events = stretches.reduce((sum, stretch) => sum + stretch.events.length, 0);
  const removed = removeArchived(db, row);
  await runBatch(db, [
    markArchived(db, row, now.getTime()),
    requireChanges(db, 1),
    indexArchive(db, row),
    removed.index,
    removed.events,
    requireChanges(db, events),
    removed.checkpoints,
    requireChanges(db, stretches.length),
  ]);
  return { archived: events };
}

/**
 * An object that is not what D1 has is given up, and what it was to have begun again, under another key: but only if D1
 * still has all of it, as it was sealed. Else the object may be the better one.
 */
async function dropOrWait(
  needs: ArchiveNeeds,
  row: ArchiveRow,
  stretches: readonly Stretch[],
  inKv: string | null | undefined,
): Promise<Partial<ArchivedEvents>> {
  const { db, now } = needs;
  const { org, first_number, last_number, kv_put_at } = row;
  if (inKv === undefined && kv_put_at !== null && kv_put_at > now.getTime() - MISSED_AFTER) return {};
  const sealed = await Promise.all(stretches.map((stretch) => isAsSealed(needs, org, stretch, "any key")));
  if (stretches.length !== last_number - first_number + 1 || sealed.includes(false)) {
    const [found] = await runBatch(db, [selectPendingArchive(db, row)]);
    // Another run has moved it, or retention has come to it.
    if (rowsOf(found).length === 0) return {};
    throw new LogError("what was put into the archive is not as it was sealed any more");
  }
  await runBatch(db, dropPending(db, org, first_number, now.getTime()));
  return { dropped: 1 };
}

/** What KV has: `undefined` for nothing, `null` for what does not open. */
async function readBack(needs: ArchiveNeeds, row: ArchiveRow): Promise<string | null | undefined> {
  try {
    return await readArchiveText(needs, row);
  } catch (error) {
    if (error instanceof ArchiveMissingProblem) return undefined;
    if (error instanceof IntegrityProblem) return null;
    throw error;
  }
}

async function readInD1(db: D1Database, { org, first_number, last_number }: ArchiveRow): Promise<Stretch[]> {
  const stretches: Stretch[] = [];
  for await (const some of readStretches(db, { org, after: first_number - 1, to: last_number })) stretches.push(...some.map(stretchBody));
  return stretches;
}
