import { Problem } from "../../contract/problem.ts";
import type { Caller } from "../access/caller.ts";
import { requireUnchanged } from "../store/require-unchanged.ts";
import { deleteServiceRow } from "../store/service-rows.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import type { CallerNeeds } from "../transaction/run-for-caller.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { findOwn } from "./put-service.ts";

/**
 * Deletes a service that its caller could have made.
 *
 * @throws {Problem} `forbidden`, `service-not-found`, `write-conflict`, `storage-unavailable`.
 */
export async function deleteService(needs: CallerNeeds & { readonly now: Date }, caller: Caller, name: string): Promise<void> {
  caller.require("services:write", [], [], name);
  const { db } = needs;
  await retryWhenChanged(async () => {
    const was = await findOwn(needs, caller, name);
    if (!was) throw new Problem("service-not-found", "There is no service of this name.");
    const deletion = [requireUnchanged(db, "services", caller.org, name, was), deleteServiceRow(db, caller.org, name)];
    await writeForCaller(needs, caller, deletion, { action: "service.delete", secrets: [], target: name });
  });
}
