import { type Job, noteTried } from "../audit/marks.ts";
import { runBatch } from "../store/run-batch.ts";
import { type BatchNeeds, workInBatches } from "../transaction/work-in-batches.ts";

/** What a turn of a log came to: there is `more`, it is `done`, or it cannot go on now (`stuck`). */
export type TurnEnd = "more" | "done" | "stuck";

interface Turns<Log> {
  readonly job: Job;
  /** Selects logs that wait, but for some organizations, those first that were not come to for longest. */
  readonly select: (except: string) => Promise<{ readonly logs: readonly Log[] /** Whether there may be others. */; readonly full: boolean }>;
  readonly work: (log: Log) => Promise<TurnEnd>;
}

interface Needs extends BatchNeeds {
  /** Organizations whose logs are not what the registry says: nothing is done to them. */
  readonly accused?: ReadonlySet<string> | undefined;
}

/**
 * Works on logs one after the other, and again on those that have more: each has its turn before one has a second. What is
 * stuck or accused comes last in the next run, so that it keeps no other from its turn. Returns how many were accused.
 */
export async function takeTurns<Log extends { readonly org: string }>(needs: Needs, { job, select, work }: Turns<Log>): Promise<number> {
  const { db, now, accused = new Set(), budget } = needs;
  const rested = new Set<string>();
  let queue: readonly Log[] = [];
  let mayBeMore = true;
  let refused = 0;
  await workInBatches(budget, async () => {
    if (queue.length === 0) {
      const { logs, full } = await select(JSON.stringify([...rested]));
      const guilty = logs.filter(({ org }) => accused.has(org)).map(({ org }) => org);
      await rest(guilty);
      refused += new Set(guilty).size;
      queue = logs.filter(({ org }) => !accused.has(org));
      mayBeMore = full;
    }
    const [log, ...others] = queue;
    queue = others;
    if (!log) return mayBeMore;
    const end = rested.has(log.org) ? "stuck" : await work(log);
    if (end === "stuck") await rest([log.org]);
    mayBeMore ||= end === "more";
    return queue.length > 0 || mayBeMore;
  });
  return refused;

  async function rest(orgs: readonly string[]): Promise<void> {
    const first = orgs.filter((org) => !rested.has(org));
    for (const org of first) rested.add(org);
    if (first.length > 0) await runBatch(db, [noteTried(db, job, first, now.getTime())]);
  }
}
