import { markFailed } from "../audit/marks.ts";
import { GuardError, runBatch } from "../store/run-batch.ts";
import { IntegrityProblem } from "../transaction/verify-row.ts";
import { partOf } from "../transaction/work-in-batches.ts";
import type { ArchivedEvents, ArchiveNeeds } from "./archive-needs.ts";
import { beginArchives } from "./begin-archives.ts";
import { LogError } from "./log-head.ts";
import { settleArchives } from "./settle-archives.ts";
import type { TurnEnd } from "./take-turns.ts";

/**
 * Moves sealed stretches of logs that are older than `hotDays` to KV, a day of a log or some thousand events at a time.
 * An object is noted in D1, put, and at the earliest in a later run read back and compared; only then what it has leaves
 * D1, in one transaction. What fails on one log keeps none of the others from it.
 *
 * @throws {AggregateError} when it failed on a log.
 */
export async function archiveLog(needs: ArchiveNeeds): Promise<ArchivedEvents> {
  const done: ArchivedEvents = { put: 0, archived: 0, dropped: 0, refused: 0 };
  if (!needs.registry) return done;
  const failures: unknown[] = [];
  const attempt = async (org: string, work: () => Promise<Partial<ArchivedEvents>>): Promise<TurnEnd> => {
    try {
      const { put = 0, archived = 0, dropped = 0 } = await work();
      done.put += put;
      done.archived += archived;
      done.dropped += dropped;
      return put + archived > 0 ? "more" : "stuck";
    } catch (error) {
      // Another run has done it.
      if (error instanceof GuardError) return "stuck";
      if (error instanceof LogError || error instanceof IntegrityProblem) {
        await runBatch(needs.db, [markFailed(needs.db, "archive", org, needs.now.getTime())]);
        done.refused++;
      } else failures.push(error);
      return "stuck";
    }
  };
  await settleArchives({ ...needs, budget: partOf(needs.budget, 1 / 2) }, attempt);
  await beginArchives(needs, attempt);
  if (failures.length > 0) throw new AggregateError(failures, "parts of audit logs could not be archived");
  return done;
}
