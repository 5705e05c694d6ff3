import type { Caller } from "../access/caller.ts";
import { deleteSecretRow, requireChanges } from "../store/secret-rows.ts";
import { noteRemovals } from "../store/version-rows.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import type { CallerNeeds } from "../transaction/run-for-caller.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { findSecret, secretNotFound } from "./find-secret.ts";
import { checkPrecondition, type Precondition } from "./precondition.ts";
import type { SecretSelector } from "./secret-selector.ts";

/**
 * Deletes a secret with all its versions. Their wrapped keys go in the same transaction, which makes every copy of
 * their ciphertexts useless; the copies in KV are removed by the scheduled run.
 *
 * @throws {Problem} `forbidden`, `secret-not-found`, `version-conflict`, `storage-unavailable`.
 */
export async function deleteSecret(
  needs: CallerNeeds & { readonly now: Date },
  caller: Caller,
  selector: SecretSelector,
  precondition: Precondition,
): Promise<void> {
  caller.require("secrets:write", ...("id" in selector ? [] : [selector.scope, selector.name]));
  const { db, now } = needs;
  await retryWhenChanged(async () => {
    const row = await findSecret(needs, caller, selector);
    if (!row) throw secretNotFound(selector);
    const { id, scope, name, version } = row;
    caller.require("secrets:write", scope, name);
    checkPrecondition(precondition, row);
    const statements = [noteRemovals(db, [id], now.getTime()), deleteSecretRow(db, row), requireChanges(db, 1)];
    await writeForCaller(needs, caller, statements, { action: "secret.delete", secrets: [{ id, name, scope, version }] });
  });
}
