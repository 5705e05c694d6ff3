import type { Compared, ReconciledStores } from "../../contract/backup.ts";
import { Problem } from "../../contract/problem.ts";
import type { Caller } from "../access/caller.ts";
import type { RowKey } from "../store/integrity-rows.ts";
import { beginInPlace, noteUnnamed, type RestoreRow, selectRestore, whileReconciling } from "../store/restore-rows.ts";
import { GuardError, rowsOf } from "../store/run-batch.ts";
import { requireChanges } from "../store/secret-rows.ts";
import { newId } from "../transaction/new-id.ts";
import { readForRestorer } from "../transaction/run-for-caller.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { compare, FIRST, rowFault } from "./compare-stores.ts";
import { deleteAgain } from "./delete-again.ts";
import { requireOperator } from "./require-operator.ts";
import type { BackupNeeds } from "./take-backup.ts";

/** What is to be put right of what a comparison has shown. */
interface Reconciliation {
  /** The place that it has shown it at. */
  readonly at: Compared | undefined;
  /** The keys of rows that are there again. */
  readonly keys: readonly RowKey[];
  /** Whether objects in KV go that no row names. */
  readonly removeOrphans: boolean;
}

/**
 * Puts right what a comparison has shown at a place. The first call only has the deployment stop to answer anything else, until a
 * restore is finished. From then on those of the rows that were deleted and are still there again are deleted again, with an event
 * in their organization's log; objects in KV that no row names are noted for removal.
 *
 * @throws {Problem} `forbidden`, `version-conflict` when a backup is being restored, `storage-unavailable`.
 */
export async function reconcileStores(needs: BackupNeeds, caller: Caller, { at, keys, removeOrphans }: Reconciliation): Promise<ReconciledStores> {
  requireOperator(needs, caller, "backup:write");
  const nothing = { deleted: [], skipped: [], removed: 0 };
  // What was compared before may have changed until then.
  if (await stopAnswering(needs, caller)) return nothing;
  if (keys.length === 0 && !removeOrphans) return nothing;
  const { rows, orphans } = await compare(needs, caller, at ?? FIRST);
  const named = new Set(keys.map((key) => JSON.stringify(key)));
  const returned = rows.filter(({ fault, key }) => fault === "returned" && named.has(JSON.stringify(key)));
  const unnamed = removeOrphans ? orphans : [];
  if (returned.length === 0 && unnamed.length === 0) return nothing;
  const { statements, deleted, skipped } = await deleteAgain(needs, caller, returned);
  const changes = whileReconciling(needs.db, [...statements, noteUnnamed(needs.db, unnamed, needs.now.getTime())]);
  const target = `deleted:${deleted.length}:removed:${unnamed.length}`;
  await writeForCaller(needs, caller, changes, { action: "backup.restore", secrets: [], target }).catch(refuseChanged);
  return { deleted: deleted.map(rowFault), skipped: skipped.map(rowFault), removed: unnamed.length };
}

/** Begins a restore without pages, unless one is under way: what is compared from then on stays as it is. Returns whether it has begun now. */
async function stopAnswering(needs: BackupNeeds, caller: Caller): Promise<boolean> {
  const { db, now } = needs;
  const [found] = await readForRestorer(needs, caller, [selectRestore(db)]);
  const [restore] = rowsOf<RestoreRow>(found);
  if (restore && restore.page > 0) throw new Problem("version-conflict", "A backup is being restored.");
  if (restore) return false;
  const id = newId("bak");
  const statements = [beginInPlace(db, id, now.getTime()), requireChanges(db, 1)];
  await writeForCaller(needs, caller, statements, { action: "backup.restore", secrets: [], target: id }).catch(refuseChanged);
  return true;
}

function refuseChanged(error: unknown): never {
  throw error instanceof GuardError ? new Problem("version-conflict", "Another call has changed this meanwhile: compare once more.", { cause: error }) : error;
}
