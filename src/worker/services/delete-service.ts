import { Problem } from "../../contract/problem.ts";
import type { Caller } from "../access/caller.ts";
import { deleteServiceRow, requireService } from "../store/service-rows.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import type { CallerNeeds } from "../transaction/run-for-caller.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { coversService } from "./covers-service.ts";
import { findOwn } from "./put-service.ts";

/**
 * Deletes a service that its caller could have made.
 *
 * @throws {Problem} `forbidden`, `service-not-found`, `write-conflict`, `storage-unavailable`.
 */
export async function deleteService(needs: CallerNeeds & { readonly now: Date }, caller: Caller, name: string): Promise<void> {
  caller.require("services:write");
  if (!coversService(caller, name)) throw caller.refuse("services:write", "The token's grant does not cover this service.");
  const { db } = needs;
  await retryWhenChanged(async () => {
    const was = await findOwn(needs, caller, name);
    if (!was) throw new Problem("service-not-found", "There is no service of this name.");
    const deletion = [requireService(db, caller.org, name, was), deleteServiceRow(db, caller.org, name)];
    await writeForCaller(needs, caller, deletion, { action: "service.delete", secrets: [], target: name });
  });
}
