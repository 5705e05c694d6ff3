import type { Caller } from "../access/caller.ts";
import type { Change } from "./change.ts";
import { findCurrent, secretNotFound } from "./find-secret.ts";
import { checkPrecondition, type Precondition } from "./precondition.ts";
import { retryWhenChanged } from "./retry-when-changed.ts";
import { planChange, type Write, type WriteNeeds, writeSecrets } from "./write-secrets.ts";

/**
 * Changes a secret by its id: its value, what is said of it, or both.
 *
 * @throws {Problem} `forbidden`, `secret-not-found`, `version-conflict`, `storage-unavailable`.
 */
export async function patchSecret(needs: WriteNeeds, caller: Caller, id: string, change: Change, precondition: Precondition): Promise<Write> {
  caller.require("secrets:write");
  return retryWhenChanged(async () => {
    const current = await findCurrent(needs.db, caller, { id });
    if (!current) throw secretNotFound({ id });
    caller.require("secrets:write", current.scope, current.name);
    checkPrecondition(precondition, current);
    const write = await planChange(needs, caller, current, change);
    await writeSecrets(needs, caller, "secret.update", [write]);
    return write;
  });
}
