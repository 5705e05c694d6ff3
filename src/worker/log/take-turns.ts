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

interface TurnsTogether<Log> extends Omit<Turns<Log>, "work"> {
  /** How many of the logs that come next have their turn at once: one at the least. */
  readonly together: (logs: readonly Log[]) => number;
  /** What the turn of each came to, in their order. */
  readonly work: (logs: readonly Log[]) => Promise<readonly TurnEnd[]>;
}

interface Needs extends BatchNeeds {
  /** Organizations whose logs are not what the registry says: nothing is done to them. */
  readonly accused?: ReadonlySet<string> | undefined;
}

/**
 * Works on logs one after the other, and again on those that have more: each has its turn before one has a second. What is
 * stuck or accused comes last in the next run, so that it keeps no other from its turn. Returns how many were accused.
 */
export function takeTurns<Log extends { readonly org: string }>(needs: Needs, { work, ...turns }: Turns<Log>): Promise<number> {
  return takeTurnsTogether(needs, { ...turns, together: () => 1, work: (logs) => Promise.all(logs.map(work)) });
}

/** {@link takeTurns}, some logs at once. */
export async function takeTurnsTogether<Log extends { readonly org: string }>(needs: Needs, turns: TurnsTogether<Log>): Promise<number> {
  const { db, now, accused = new Set(), budget } = needs;
  const { job, select, together, work } = turns;
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
    queue = queue.filter(({ org }) => !rested.has(org));
    if (queue.length === 0) return mayBeMore;
    const logs = queue.slice(0, together(queue));
    queue = queue.slice(logs.length);
    const ends = await work(logs);
    await rest(logs.filter((_, n) => ends[n] === "stuck").map(({ org }) => org));
    mayBeMore ||= ends.includes("more");
    return queue.length > 0 || mayBeMore;
  });
  return refused;

  async function rest(orgs: readonly string[]): Promise<void> {
    const first = orgs.filter((org) => !rested.has(org));
    for (const org of first) rested.add(org);
    if (first.length > 0) await runBatch(db, [noteTried(db, job, first, now.getTime())]);
  }
}
