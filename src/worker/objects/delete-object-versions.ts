import { MAX_OBJECT_SECRETS } from "../../contract/object.ts";
import { Problem } from "../../contract/problem.ts";
import type { Scope } from "../../contract/scope.ts";
import type { Caller } from "../access/caller.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import { findObject } from "./find-object.ts";
import type { ObjectNeeds } from "./object.ts";
import { requireWhole } from "./require-whole.ts";
import { requireRevisionsNamed } from "./undelete-object.ts";
import { writeObject } from "./write-object.ts";

/**
 * Deletes an object as `deleteObject` does, if it is at one of these revisions. Of older ones there is nothing to delete: none of
 * them can be read, and whoever makes an end of their values destroys them.
 *
 * The grant has to cover every name that is there.
 *
 * @throws {Problem} `forbidden`, `invalid-request`, `too-many-secrets`, `write-conflict`, `storage-unavailable`.
 */
export async function deleteObjectVersions(needs: ObjectNeeds, caller: Caller, scope: Scope, versions: readonly number[]): Promise<void> {
  caller.require("secrets:write", scope);
  requireRevisionsNamed(versions);
  await retryWhenChanged(async () => {
    const { state, rows } = await findObject(needs, caller, scope);
    requireWhole(caller, rows);
    const deleted = versions.includes(state.revision) ? rows : [];
    if (deleted.length > MAX_OBJECT_SECRETS)
      throw new Problem("too-many-secrets", `${scope} holds more than ${MAX_OBJECT_SECRETS} secrets, which is too many to be deleted at once.`);
    const sealing = await allowSealing(needs);
    await writeObject(sealing, caller, { scope, found: state.revision, writes: [], deleted, empties: deleted.length > 0 });
  });
}
