import { Problem } from "../../contract/problem.ts";
import type { Caller } from "../access/caller.ts";
import { requireUnchanged } from "../store/require-unchanged.ts";
import { GuardError } from "../store/run-batch.ts";
import { requireNoScope } from "../store/scope-store-rows.ts";
import { deleteStoreRow } from "../store/store-rows.ts";
import { requireNoWritesIn } from "../store/store-write-rows.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import type { CallerNeeds } from "../transaction/run-for-caller.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { getStore } from "./read-stores.ts";
import { requireMaker } from "./require-maker.ts";

/**
 * Deletes a store that its caller could have made.
 *
 * @throws {Problem} `forbidden`, `store-not-found`, `store-in-use`, `write-conflict`, `integrity-failed`, `storage-unavailable`.
 */
export async function deleteStore(needs: CallerNeeds & { readonly now: Date }, caller: Caller, name: string): Promise<void> {
  caller.require("stores:write");
  const { db } = needs;
  await retryWhenChanged(async () => {
    const { row, definition } = await getStore(needs, caller, name);
    requireMaker(caller, definition);
    const unused = [requireNoScope(db, caller.org, name), requireNoWritesIn(db, caller.org, name)];
    const deletion = [...unused, requireUnchanged(db, "stores", caller.org, name, row), deleteStoreRow(db, caller.org, name)];
    await writeForCaller(needs, caller, deletion, { action: "store.delete", secrets: [], target: name }).catch((error: unknown) => {
      if (!(error instanceof GuardError && error.guard === "store_in_use")) throw error;
      throw new Problem("store-in-use", "A scope has its values in the store. Take it out first: PUT /v1/scopes/{scope} with the store null.", {
        cause: error,
      });
    });
  });
}
