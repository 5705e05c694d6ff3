import type { Compared, ReconciledStores } from "../../contract/backup.ts";
import type { Caller } from "../access/caller.ts";
import { noteUnnamed } from "../store/restore-rows.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { compare, FIRST, rowFault } from "./compare-stores.ts";
import { deleteAgain } from "./delete-again.ts";
import { requireOperator } from "./require-operator.ts";
import type { BackupNeeds } from "./take-backup.ts";

/**
 * Puts right what a comparison has shown at a place: what was deleted and is there again is deleted again, with an event in its
 * organization's log; objects in KV that no row names are noted for removal.
 *
 * @throws {Problem} `forbidden`, `storage-unavailable`.
 */
export async function reconcileStores(needs: BackupNeeds, caller: Caller, at: Compared | undefined): Promise<ReconciledStores> {
  requireOperator(needs, caller, "backup:write");
  const { db, now } = needs;
  const { rows, orphans } = await compare(needs, caller, at ?? FIRST);
  const returned = rows.filter(({ fault }) => fault === "returned");
  if (returned.length === 0 && orphans.length === 0) return { deleted: [], removed: 0 };
  const statements = [...(await deleteAgain(needs, caller, returned)), noteUnnamed(db, orphans, now.getTime())];
  await writeForCaller(needs, caller, statements, { action: "backup.restore", secrets: [], target: `deleted:${returned.length}:removed:${orphans.length}` });
  return { deleted: returned.map(rowFault), removed: orphans.length };
}
