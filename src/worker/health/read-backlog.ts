import { type Backlog, selectBacklog } from "../store/key-rows.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";

export type { Backlog };

/** What scheduled work has before it that does not get done by itself. */
export async function readBacklog({ db }: { db: D1Database }): Promise<Backlog> {
  const [found] = await runBatch(db, [selectBacklog(db)]);
  const [backlog] = rowsOf<Backlog>(found);
  if (!backlog) throw new Error("the backlog was not counted");
  return backlog;
}
