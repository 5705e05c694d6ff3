import { selectUnseen, type Unseen } from "../audit/marks.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import type { LogJobNeeds } from "./log-job-needs.ts";
import { sealTogether } from "./seal-together.ts";
import { takeTurnsTogether } from "./take-turns.ts";

/** How many organizations come in one round, and at once where they have little: each is signed for twice. */
const ORGS = 100;
/** How many events one checkpoint seals, and how many those of one transaction do. */
const EVENTS = 1_000;

/** What a run did. */
export interface SealedEvents {
  events: number;
  /** Organizations whose log is not what was signed, or goes on with what only a later Keyhole can seal: it is not sealed any further. */
  refused: number;
}

/**
 * Seals what is new in each organization's log into checkpoints, signed and chained to the one before. Logs take turns,
 * several in one transaction where they have little, and one that is not what was signed keeps none of the others from
 * being sealed. Of two runs at once the first one's checkpoint stays.
 *
 * @throws {AggregateError} when it failed on a log.
 * @throws {Problem} `storage-unavailable`.
 */
export async function sealLog(needs: LogJobNeeds): Promise<SealedEvents> {
  const { db, registry, now } = needs;
  const sealed: SealedEvents = { events: 0, refused: 0 };
  const failures: unknown[] = [];
  if (!registry) return sealed;
  const select = async (except: string) => {
    const [found] = await runBatch(db, [selectUnseen(db, "seal", now.getTime(), ORGS, except)]);
    const logs = rowsOf<Unseen>(found);
    return { logs, full: logs.length === ORGS };
  };
  const work = async (logs: readonly Unseen[]) => {
    const ends = await sealTogether(
      needs,
      logs.map((log) => ({ org: log.org, limit: shareOf(log) })),
    );
    return logs.map(({ last }, n) => {
      const end = ends[n] ?? "nothing";
      if (end === "refused") sealed.refused++;
      if (typeof end === "string") return "stuck";
      if ("failure" in end) {
        failures.push(end.failure);
        return "stuck";
      }
      sealed.events += end.events;
      return end.to < last ? "more" : "done";
    });
  };
  const accused = await takeTurnsTogether(needs, { job: "seal", select, together, work });
  if (failures.length > 0) throw new AggregateError(failures, "audit logs could not be sealed");
  return { ...sealed, refused: sealed.refused + accused };
}

/** As many logs as have no more events in all than one checkpoint may seal. */
function together(logs: readonly Unseen[]): number {
  let [events, count] = [0, 0];
  for (const log of logs) {
    events += shareOf(log);
    if (events > EVENTS) break;
    count++;
  }
  return Math.max(1, count);
}

function shareOf({ done, last }: Unseen): number {
  return Math.min(EVENTS, last - done);
}
