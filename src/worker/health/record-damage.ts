import { isDamage, noteDamage } from "../store/database-damage.ts";
import { runBatch } from "../store/run-batch.ts";

/**
 * Records that a job failed because D1 came upon a page that cannot be read; what else it may have failed of is not noted here.
 *
 * @throws {Problem} `storage-unavailable`.
 */
export async function recordDamage({ db, now }: { readonly db: D1Database; readonly now: Date }, job: string, error: unknown): Promise<void> {
  if (isDamage(error)) await runBatch(db, [noteDamage(db, job, now.getTime())]);
}
