import type { Checkpoint } from "../../contract/audit.ts";
import type { Caller } from "../access/caller.ts";
import { type ArchiveRow, selectArchivesAfter } from "../audit/archives.ts";
import { type CheckpointRow, type LogExtent, selectCheckpoints, selectExtent } from "../audit/checkpoints.ts";
import { type GenerationRow, selectGenerations } from "../audit/generations.ts";
import { rowsOf } from "../store/run-batch.ts";
import { type Page, pageOf } from "../transaction/page-of.ts";
import { readForCaller } from "../transaction/run-for-caller.ts";
import { checkpointBody } from "./event-body.ts";
import { openArchive } from "./open-archive.ts";
import type { ReadLogNeeds } from "./read-log.ts";

/** One page of checkpoints, in their order, the log's head, and the restores that were accepted. */
export type CheckpointPage = Page<Checkpoint, number> & { readonly head: string | null; readonly generations: readonly string[] };

/**
 * Lists the checkpoints of the organization's log, those that are archived too. A page may be short.
 *
 * @throws {Problem} `forbidden`, `integrity-failed`, `storage-unavailable`.
 */
export async function listCheckpoints(needs: ReadLogNeeds, caller: Caller, after: number, limit: number): Promise<CheckpointPage> {
  caller.require("audit:read");
  const { db } = needs;
  const { org } = caller;
  const [archives, found, extents, restores] = await readForCaller(needs, caller, [
    selectArchivesAfter(db, org, after, 1),
    selectCheckpoints(db, org, after, limit + 1),
    selectExtent(db, org),
    selectGenerations(db, org),
  ]);
  const head = rowsOf<LogExtent>(extents)[0]?.head ?? null;
  const generations = rowsOf<GenerationRow>(restores).map(({ jws }) => jws);
  const page = await pageUpTo(needs, after, limit, rowsOf<CheckpointRow>(found), rowsOf<ArchiveRow>(archives)[0]);
  return { ...page, head, generations };
}

/** Those in D1, up to the next archive; or those of the archive, if that comes first. */
async function pageUpTo(
  needs: ReadLogNeeds,
  after: number,
  limit: number,
  rows: readonly CheckpointRow[],
  archive: ArchiveRow | undefined,
): Promise<Page<Checkpoint, number>> {
  const numberOf = ({ number }: { readonly number: number }) => number;
  const before = archive ? rows.filter(({ number }) => number < archive.first_number) : rows;
  if (archive && before.length === 0) {
    const stretches = await openArchive(needs, archive);
    const checkpoints = stretches.map(({ checkpoint }) => checkpoint).filter(({ number }) => number > after);
    const page = pageOf(checkpoints, limit, numberOf);
    return { rows: page.rows, next: page.next ?? archive.last_number };
  }
  const page = pageOf(before, limit, numberOf);
  const next = page.next ?? (archive ? (before.at(-1)?.number ?? null) : null);
  return { rows: page.rows.map(checkpointBody), next };
}
