import { Problem } from "../../contract/problem.ts";
import type { Scope } from "../../contract/scope.ts";
import type { SecretName } from "../../contract/secret-name.ts";
import type { Caller } from "../access/caller.ts";
import type { SecretValue } from "../secrets/change.ts";
import { planSettings } from "../secrets/plan-settings.ts";
import { rowsOf } from "../store/run-batch.ts";
import { type ScopeRevision, selectRevision } from "../store/scope-revisions.ts";
import type { SecretRow } from "../store/secret-columns.ts";
import { selectFirstSecrets, selectNamed } from "../store/secret-rows.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import { readForCaller } from "../transaction/run-for-caller.ts";
import { verifyRows } from "../transaction/verify-row.ts";
import { changeOfKey, type MergePatch } from "./change-of-key.ts";
import { namesOfKeys } from "./names-of-keys.ts";
import { type CheckAndSet, type ObjectNeeds, objectState, type WrittenObject } from "./object.ts";
import { checkRevision, writeObject } from "./write-object.ts";

/** What a patch does to a key: sets it, merges into it, or deletes it. */
export type KeyChange = SecretValue | MergePatch | null;

/**
 * Changes some keys of an object in one transaction, and leaves all others alone: a merge patch (RFC 7386). Whoever may write
 * needs no right to read: what is merged is never given to the caller. The object may hold any number of keys.
 *
 * The grant has to cover the names of the keys that are given. An object that is not there is patched only by a caller whose
 * grant is limited by name: that has no other way to make one.
 *
 * @param changes By key.
 * @throws {Problem} as `replaceObject`, `secret-not-found` where there is no object, and `storage-unavailable` where a value
 *   that is to be merged cannot be had.
 */
export async function patchObject(
  needs: ObjectNeeds,
  caller: Caller,
  scope: Scope,
  changes: ReadonlyMap<string, KeyChange>,
  condition: CheckAndSet = {},
): Promise<WrittenObject> {
  caller.require("secrets:write", scope);
  const given = namesOfKeys(changes);
  caller.require("secrets:write", scope, [...given.keys()]);
  const set = new Map([...given].flatMap(([name, change]) => (change === null ? [] : [[name, change] as const])));
  const gone = [...given].flatMap(([name, change]) => (change === null ? [name] : []));
  return retryWhenChanged(async () => {
    const { state, deleted } = await findNamed(needs, caller, scope, gone);
    checkRevision(condition, state);
    const sealing = await allowSealing(needs);
    const writes = await planSettings(sealing, caller, { scope, undelete: false }, set, (found) => changeOfKey(needs, found));
    return writeObject(sealing, caller, { scope, writes, deleted, empties: false, mustBeThere: makesNone(caller), ...condition });
  });
}

/** Whether a caller's patch makes no object: it can write one as a whole. */
function makesNone({ secretNames }: Caller): boolean {
  return secretNames === null;
}

/** The state of an object, and those of some names that are there to be deleted. */
async function findNamed(needs: ObjectNeeds, caller: Caller, scope: Scope, names: readonly SecretName[]) {
  const { db, keyring } = needs;
  const [state, any, named] = await readForCaller(needs, caller, [
    selectRevision(db, { org: caller.org, scope }),
    selectFirstSecrets(db, caller.org, scope, 1, "there"),
    selectNamed(db, caller.org, scope, names),
  ]);
  if (makesNone(caller) && rowsOf(any).length === 0) throw new Problem("secret-not-found", `There is nothing in ${scope}.`);
  const rows = await verifyRows(keyring, "secrets", rowsOf<SecretRow>(named));
  return { state: objectState(rowsOf<ScopeRevision>(state)[0]), deleted: rows.filter(({ deleted_at }) => deleted_at === null) };
}
