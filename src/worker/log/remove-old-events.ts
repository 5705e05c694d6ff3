import type { EventVersions } from "../../contract/audit-digest.ts";
import { checkEvents, parseAsSigned } from "../../contract/check-chain.ts";
import type { LogKeys } from "../access/log-keys.ts";
import { verifyPayload } from "../access/sign-payload.ts";
import { type OldStretch, removeEvents, selectOldStretches } from "../audit/checkpoints.ts";
import { replaceHead } from "../audit/heads.ts";
import { markFailed, markSeen } from "../audit/marks.ts";
import { type EventRow, selectStretch } from "../audit/read-events.ts";
import { GuardError, rowsOf, runBatch } from "../store/run-batch.ts";
import { requireChanges } from "../store/secret-rows.ts";
import { checkpointBody, eventBody } from "./event-body.ts";
import { LogError, readReplaceableHead, signHead } from "./log-head.ts";

const DAY = 86_400_000;
/** How many stretches one run removes: so many at once, one of each log, so many times. */
const STRETCHES = 20;
const ROUNDS = 5;

interface Needs {
  readonly db: D1Database;
  readonly logKeys: LogKeys;
  readonly retentionDays: number;
  readonly now: Date;
  /** The versions of events that are known, if not those of this code. */
  readonly versions?: EventVersions;
}

/** What a run did. */
export interface RemovedEvents {
  events: number;
  /** Stretches that are not what was signed, by a key that is not known, or of a later Keyhole: they stay. */
  refused: number;
}

/**
 * Removes events that are older than they are kept, in whole sealed stretches that are still what was sealed; their
 * checkpoints stay, so that the rest still verifies. The log's head says up to where it was done.
 */
export async function removeOldEvents(needs: Needs): Promise<RemovedEvents> {
  const { db, retentionDays, now } = needs;
  const removed: RemovedEvents = { events: 0, refused: 0 };
  for (let n = 0; n < ROUNDS; n++) {
    const [found] = await runBatch(db, [selectOldStretches(db, now.getTime() - retentionDays * DAY, now.getTime(), STRETCHES)]);
    const stretches = rowsOf<OldStretch>(found);
    for (const stretch of stretches) {
      const events = await removeOrRefuse(needs, stretch);
      if (events === "refused") removed.refused++;
      else removed.events += events;
    }
    if (stretches.length === 0) break;
  }
  return removed;
}

async function removeOrRefuse(needs: Needs, stretch: OldStretch): Promise<number | "refused"> {
  try {
    return await removeStretch(needs, stretch);
  } catch (error) {
    // Another run has removed it, or something was sealed: the next round sees what is left.
    if (error instanceof GuardError) return 0;
    if (!(error instanceof LogError)) throw error;
    await runBatch(needs.db, [markFailed(needs.db, "retention", stretch.org, needs.now.getTime())]);
    return "refused";
  }
}

async function removeStretch({ db, logKeys, now, versions }: Needs, stretch: OldStretch): Promise<number> {
  const { org, first_seq, last_seq, removed_to, head: was } = stretch;
  const head = await readReplaceableHead(logKeys, org, was);
  if (!head || head.removed_to !== removed_to) throw new LogError("the head of a log is not what was signed");
  const checkpoint = checkpointBody(stretch);
  const signed = await verifyPayload(logKeys, "keyhole-checkpoint", stretch.jws);
  const parsed = signed?.vouched ? await parseAsSigned(org, checkpoint, signed) : undefined;
  if (!parsed || parsed.newer) throw new LogError("a checkpoint is not what was signed, or of a later Keyhole");
  const [events] = await runBatch(db, [selectStretch(db, org, first_seq, checkpoint.row_digests.length)]);
  const { firstBad, newer } = await checkEvents(checkpoint, rowsOf<EventRow>(events).map(eventBody), versions);
  if (firstBad !== null || newer) throw new LogError("a stretch is not what was sealed, or of a later Keyhole");
  const next = await signHead(logKeys, { ...head, removed_to: last_seq });
  await runBatch(db, [
    replaceHead(db, next, was, now.getTime()),
    requireChanges(db, 1),
    ...removeEvents(db, org, last_seq),
    markSeen(db, "retention", [{ org, done: removed_to, to: last_seq }], now.getTime()),
  ]);
  return last_seq - first_seq + 1;
}
