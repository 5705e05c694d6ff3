import type { Caller } from "../access/caller.ts";
import { requireUnchanged } from "../store/require-unchanged.ts";
import { deleteStoreRow } from "../store/store-rows.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import type { CallerNeeds } from "../transaction/run-for-caller.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { getStore } from "./read-stores.ts";
import { requireMaker } from "./require-maker.ts";

/**
 * Deletes a store that its caller could have made.
 *
 * @throws {Problem} `forbidden`, `store-not-found`, `write-conflict`, `integrity-failed`, `storage-unavailable`.
 */
export async function deleteStore(needs: CallerNeeds & { readonly now: Date }, caller: Caller, name: string): Promise<void> {
  caller.require("stores:write");
  const { db } = needs;
  await retryWhenChanged(async () => {
    const { row, definition } = await getStore(needs, caller, name);
    requireMaker(caller, definition);
    const deletion = [requireUnchanged(db, "stores", caller.org, name, row), deleteStoreRow(db, caller.org, name)];
    await writeForCaller(needs, caller, deletion, { action: "store.delete", secrets: [], target: name });
  });
}
