import type { Caller } from "../access/caller.ts";
import type { SecretRow } from "../store/secret-columns.ts";
import { type DeletionNeeds, raisingDeletionOf } from "../transaction/deletion-of.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import type { Verified } from "../transaction/verify-row.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { findKept, findSecret, secretNotFound } from "./find-secret.ts";
import { checkPrecondition, type Precondition } from "./precondition.ts";
import type { SecretSelector } from "./secret-selector.ts";

/**
 * Deletes a secret with all its versions. It can come back for some days; the time until then is returned, in milliseconds
 * since 1970. Where that is no time at all, the wrapped keys go in the same transaction, which makes every copy of the
 * ciphertexts useless.
 *
 * @throws {Problem} `forbidden`, `secret-not-found`, `version-conflict`, `storage-unavailable`.
 */
export async function deleteSecret(needs: DeletionNeeds, caller: Caller, selector: SecretSelector, precondition: Precondition): Promise<number> {
  caller.require("secrets:write", ...("id" in selector ? [] : [selector.scope, selector.name]));
  return retryWhenChanged(async () => {
    const row = await findOwn(needs, caller, selector, precondition, findSecret);
    const { statements, until } = await raisingDeletionOf(needs, [row]);
    await writeForCaller(needs, caller, statements, { action: "secret.delete", secrets: [nameOf(row)] });
    return until ?? needs.now.getTime();
  });
}

/**
 * Deletes a secret, also one that was deleted already, with all its versions and for good: their wrapped keys go in the same
 * transaction, the copies in KV by the scheduled run.
 *
 * @throws {Problem} `forbidden`, `secret-not-found`, `version-conflict`, `storage-unavailable`.
 */
export async function purgeSecret(needs: DeletionNeeds, caller: Caller, selector: SecretSelector, precondition: Precondition): Promise<void> {
  caller.require("secrets:write", ...("id" in selector ? [] : [selector.scope, selector.name]));
  await retryWhenChanged(async () => {
    const row = await findOwn(needs, caller, selector, precondition, findKept);
    const { statements } = await raisingDeletionOf(needs, [row], true);
    await writeForCaller(needs, caller, statements, { action: "secret.purge", secrets: [nameOf(row)] });
  });
}

async function findOwn(
  needs: DeletionNeeds,
  caller: Caller,
  selector: SecretSelector,
  precondition: Precondition,
  find: typeof findKept,
): Promise<Verified<SecretRow>> {
  const row = await find(needs, caller, selector);
  if (!row) throw secretNotFound(selector);
  caller.require("secrets:write", row.scope, row.name);
  checkPrecondition(precondition, row);
  return row;
}

function nameOf({ id, name, scope, version }: SecretRow) {
  return { id, name, scope, version };
}
