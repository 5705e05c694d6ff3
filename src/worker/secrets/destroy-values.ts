import { Problem } from "../../contract/problem.ts";
import type { Caller } from "../access/caller.ts";
import { rowsOf } from "../store/run-batch.ts";
import { requireNoneThere } from "../store/scope-store-rows.ts";
import { requireChanges, touchSecrets } from "../store/secret-rows.ts";
import { destroyVersions, selectKept, type VersionKey } from "../store/version-rows.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { findSecret, secretNotFound } from "./find-secret.ts";
import { versionNotFound } from "./find-version.ts";
import { checkPrecondition, type Precondition } from "./precondition.ts";
import type { SecretSelector } from "./secret-selector.ts";

/**
 * Destroys the values of older versions for good, all of them or none, in one transaction. The revision counts up with it, so
 * that a rollback to one of them which is under way at the same time starts over and finds it gone. To destroy one again
 * changes nothing.
 *
 * @param versions One or more.
 * @throws {Problem} `forbidden`, `secret-not-found`, `version-not-found`, `version-conflict`, `scope-in-store`, `storage-unavailable`.
 */
export async function destroyValues(
  needs: CallerNeeds & { readonly now: Date },
  caller: Caller,
  selector: SecretSelector,
  versions: readonly number[],
  precondition: Precondition,
): Promise<void> {
  caller.require("secrets:write", ...("id" in selector ? [] : [selector.scope, selector.name]));
  const { db, now } = needs;
  const distinct = [...new Set(versions)];
  await retryWhenChanged(async () => {
    const secret = await findSecret(needs, caller, selector);
    if (!secret) throw secretNotFound(selector);
    const { id, scope, name } = secret;
    caller.require("secrets:write", scope, name);
    checkPrecondition(precondition, secret);
    const unknown = distinct.find((version) => version > secret.version);
    if (unknown !== undefined) throw versionNotFound(unknown);
    if (distinct.includes(secret.version))
      throw new Problem("version-conflict", "The current version cannot be destroyed; set another value first, or delete the secret.");
    const ranges = distinct.map((version) => ({ secret_id: id, from: version, to: version }));
    const [kept] = await readForCaller(needs, caller, [selectKept(db, ranges)]);
    const isKept = rowsOf<VersionKey>(kept).length > 0;
    const changes = isKept
      ? [requireNoneThere(db, secret, distinct), touchSecrets(db, [secret]), requireChanges(db, 1), ...destroyVersions(db, ranges, now.getTime())]
      : [];
    const secrets = distinct.map((version) => ({ id, name, scope, version }));
    await writeForCaller(needs, caller, changes, { action: "secret.destroy", secrets });
  });
}
