import { type Backlog as StoredBacklog, selectBacklog } from "../store/key-rows.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";

/** A {@link StoredBacklog}, and how full the database is. */
export type Backlog = StoredBacklog & {
  /** How many bytes D1 has stored, as it says after a query; 10 GB is all that a database takes. */
  readonly database_bytes: number;
};

/**
 * What scheduled work has before it that does not get done by itself, and how full the database is.
 *
 * @throws {Problem} `storage-unavailable`.
 */
export async function readBacklog({ db }: { db: D1Database }): Promise<Backlog> {
  const [found] = await runBatch(db, [selectBacklog(db)]);
  const [backlog] = rowsOf<StoredBacklog>(found);
  if (!backlog) throw new Error("the backlog was not counted");
  return { ...backlog, database_bytes: found?.meta.size_after ?? 0 };
}
