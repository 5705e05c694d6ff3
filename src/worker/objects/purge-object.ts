import { MAX_OBJECT_SECRETS } from "../../contract/object.ts";
import { Problem } from "../../contract/problem.ts";
import type { Scope } from "../../contract/scope.ts";
import type { Caller } from "../access/caller.ts";
import { deleteRevision, requireRevision } from "../store/scope-revisions.ts";
import { deletionOf } from "../transaction/deletion-of.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { findObject } from "./find-object.ts";
import type { ObjectNeeds } from "./object.ts";
import { requireWhole } from "./require-whole.ts";

/**
 * Purges an object for good, in one transaction: its secrets, also those that were deleted and could come back, what is said of
 * it, and how often it was written. After that it was never there; what is not there stays so.
 *
 * The grant has to cover every name that there is, deleted ones too.
 *
 * @throws {Problem} `forbidden`, `too-many-secrets`, `write-conflict`, `storage-unavailable`.
 */
export async function purgeObject(needs: ObjectNeeds, caller: Caller, scope: Scope): Promise<void> {
  caller.require("secrets:write", scope);
  await retryWhenChanged(async () => {
    const { state, rows } = await findObject(needs, caller, scope, "all");
    requireWhole(caller, rows);
    if (rows.length > MAX_OBJECT_SECRETS)
      throw new Problem(
        "too-many-secrets",
        `${scope} holds more than ${MAX_OBJECT_SECRETS} secrets, with those that can come back: delete the scope some at a time.`,
      );
    const key = { org: caller.org, scope };
    const { statements } = await deletionOf(needs, rows, true);
    const secrets = rows.map(({ id, name, version }) => ({ id, name, scope, version }));
    await writeForCaller(needs, caller, [requireRevision(needs.db, key, state.revision, "unchanged"), ...statements, deleteRevision(needs.db, key)], {
      action: "secret.purge",
      secrets,
      target: scope,
    });
  });
}
