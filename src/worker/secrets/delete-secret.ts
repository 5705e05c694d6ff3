import type { Caller } from "../access/caller.ts";
import { KEPT_IN_KV } from "../store/kept-in-kv.ts";
import type { SecretRow } from "../store/secret-columns.ts";
import { deleteSecretRow, requireChanges, updateSecrets } from "../store/secret-rows.ts";
import { noteRemovals } from "../store/version-rows.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { deletedUntil, markDeleted } from "../transaction/mark-deleted.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import type { CallerNeeds } from "../transaction/run-for-caller.ts";
import type { Verified } from "../transaction/verify-row.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { findKept, findSecret, secretNotFound } from "./find-secret.ts";
import { checkPrecondition, type Precondition } from "./precondition.ts";
import type { SecretSelector } from "./secret-selector.ts";

/** What a verb that deletes needs. */
export type DeletionNeeds = CallerNeeds & {
  readonly now: Date;
  /** For how many days what is deleted can come back. */
  readonly recoveryDays: number;
};

/**
 * Deletes a secret with all its versions. It can come back for some days; the time until then is returned, in milliseconds
 * since 1970. Where that is no time at all, the wrapped keys go in the same transaction, which makes every copy of the
 * ciphertexts useless.
 *
 * @throws {Problem} `forbidden`, `secret-not-found`, `version-conflict`, `storage-unavailable`.
 */
export async function deleteSecret(needs: DeletionNeeds, caller: Caller, selector: SecretSelector, precondition: Precondition): Promise<number> {
  caller.require("secrets:write", ...("id" in selector ? [] : [selector.scope, selector.name]));
  const { db, now, recoveryDays } = needs;
  return retryWhenChanged(async () => {
    const row = await findOwn(needs, caller, selector, precondition, findSecret);
    const named = { action: "secret.delete", secrets: [nameOf(row)] } as const;
    if (recoveryDays === 0) {
      await writeForCaller(needs, caller, erase(db, row, now.getTime() + KEPT_IN_KV), named);
      return now.getTime();
    }
    const sealing = await allowSealing(needs);
    const [deleted] = await markDeleted(sealing, [row], deletedUntil(needs));
    if (!deleted) throw new Error("nothing was marked");
    await writeForCaller(needs, caller, [updateSecrets(db, [deleted]), requireChanges(db, 1)], named);
    return deleted.deleted_until;
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
    await writeForCaller(needs, caller, erase(needs.db, row, needs.now.getTime()), { action: "secret.purge", secrets: [nameOf(row)] });
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

function erase(db: D1Database, row: SecretRow, removeAt: number): D1PreparedStatement[] {
  return [noteRemovals(db, [row.id], removeAt), deleteSecretRow(db, row), requireChanges(db, 1)];
}

function nameOf({ id, name, scope, version }: SecretRow) {
  return { id, name, scope, version };
}
