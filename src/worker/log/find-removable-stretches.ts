import type { Checkpoint, HeadPayload } from "../../contract/audit.ts";
import { type EventVersions, sha256 } from "../../contract/audit-digest.ts";
import type { LogKeys } from "../access/log-keys.ts";
import { dropPending } from "../audit/archives.ts";
import { type CheckpointRow, removeEvents, selectLastCheckpoint, selectOldStretches } from "../audit/checkpoints.ts";
import { type EventRow, selectStretch } from "../audit/read-events.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { requireChanges } from "../store/secret-rows.ts";
import { type Stretch, stretchBody } from "./archive-body.ts";
import { goesOnFrom } from "./goes-on-from.ts";
import { isAsSealed } from "./is-as-sealed.ts";

/** How many stretches of one log are removed at once. */
const STRETCHES = 5;

interface Needs {
  readonly db: D1Database;
  readonly logKeys: LogKeys;
  readonly now: Date;
  /** The versions of events that are known, if not those of this code. */
  readonly versions?: EventVersions;
}

/** What of a log: after an event, and what ended before a time. */
export interface RemovalPlace {
  readonly org: string;
  readonly after: number;
  readonly before: number;
}

/** The first stretches of a log that can be removed. */
export interface RemovableStretches {
  /** How many events they have, up to which. */
  readonly events: number;
  readonly to: number;
  /** The last of their checkpoints that goes with them; `undefined` for none: the log's last one stays, for the next to name it. */
  readonly last: Omit<NonNullable<HeadPayload["removed"]>, "generation"> | undefined;
  /** Whether one after them is not what was sealed. */
  readonly bad: boolean;
  /** Whether there may be more than one call finds. */
  readonly full: boolean;
  /** What removes them, once the head says so. */
  readonly statements: readonly D1PreparedStatement[];
}

/** Finds old stretches that are in D1 and are what was signed. */
export async function findRemovableStretches(needs: Needs, { org, after, before }: RemovalPlace): Promise<RemovableStretches> {
  const { db, now } = needs;
  const [found, ends] = await runBatch(db, [selectOldStretches(db, org, after, before, STRETCHES), selectLastCheckpoint(db, org)]);
  const good: Stretch[] = [];
  let bad = false;
  for (const row of rowsOf<CheckpointRow>(found)) {
    const stretch = await readStretch(db, org, row);
    const to = good.at(-1)?.checkpoint.last_seq ?? after;
    bad = !(await goesOnFrom(needs, org, to, stretch.checkpoint.first_seq)) || !(await isAsSealed(needs, org, stretch, "a known key"));
    if (bad) break;
    good.push(stretch);
  }
  const to = good.at(-1)?.checkpoint.last_seq;
  if (to === undefined) return { events: 0, to: after, last: undefined, bad, full: false, statements: [] };
  const end = rowsOf<CheckpointRow>(ends)[0]?.number ?? 0;
  const last = good.findLast(({ checkpoint }) => checkpoint.number < end)?.checkpoint;
  const events = good.reduce((sum, stretch) => sum + stretch.events.length, 0);
  const [removal, index] = removeEvents(db, org, to);
  // What was on its way to the archive is not needed there, and what has come there meanwhile is not removed from here.
  const statements = [removal, requireChanges(db, events), index, ...dropPending(db, org, good[0]?.checkpoint.number ?? 0, now.getTime())];
  return { events, to, last: last && (await removedLink(last)), bad, full: good.length === STRETCHES, statements };
}

/** A checkpoint after which the log begins, as its head names it. */
export async function removedLink({ number, jws, last_seq }: Checkpoint): Promise<NonNullable<RemovableStretches["last"]>> {
  return { number, checkpoint: await sha256(jws), last_seq };
}

async function readStretch(db: D1Database, org: string, row: CheckpointRow): Promise<Stretch> {
  const { checkpoint } = stretchBody({ checkpoint: row, events: [] });
  const [events] = await runBatch(db, [selectStretch(db, org, row.first_seq, checkpoint.row_digests.length)]);
  return stretchBody({ checkpoint: row, events: rowsOf<EventRow>(events) });
}
