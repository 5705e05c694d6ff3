import type { Miniflare } from "miniflare";

/**
 * Has the Worker's scheduled runs happen: on a local machine cron triggers do not fire by themselves.
 *
 * @param crons the expressions that the runs are told. Only "each minute" is kept to.
 * @param period milliseconds from one run to the next; they begin at multiples of it.
 * @returns what ends it.
 */
export function runSchedule(miniflare: Miniflare, crons: readonly string[], period: number): () => void {
  let timer: NodeJS.Timeout;
  const wait = () => {
    timer = setTimeout(() => void run(), period - (Date.now() % period));
  };
  const run = async () => {
    wait();
    for (const cron of crons) await trigger(miniflare, cron);
  };
  wait();
  return () => clearTimeout(timer);
}

async function trigger(miniflare: Miniflare, cron: string): Promise<void> {
  try {
    const outcome = await runScheduled(miniflare, cron);
    if (outcome !== "ok") console.error(`the scheduled run ended with: ${outcome}`);
  } catch (error) {
    console.error(`the scheduled run could not be started: ${error instanceof Error ? error.message : error}`);
  }
}

/** Has one scheduled run happen now, and says how it ended. */
export async function runScheduled(miniflare: Miniflare, cron: string): Promise<string> {
  // Asked for each time: after a crash of the runtime, which Miniflare starts again, it is another one.
  const worker = await miniflare.getWorker();
  return (await worker.scheduled({ cron })).outcome;
}
