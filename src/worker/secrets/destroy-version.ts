import { Problem } from "../../contract/problem.ts";
import type { Caller } from "../access/caller.ts";
import { requireChanges, touchSecrets } from "../store/secret-rows.ts";
import { destroyVersions } from "../store/version-rows.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import type { CallerNeeds } from "../transaction/run-for-caller.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { findSecret, secretNotFound } from "./find-secret.ts";
import { findVersion, versionNotFound } from "./find-version.ts";
import { checkPrecondition, type Precondition } from "./precondition.ts";
import type { SecretSelector } from "./secret-selector.ts";

/**
 * Destroys an older version's value for good. The revision counts up with it, so that a rollback to that version which
 * is under way at the same time starts over and finds it gone. To destroy it again changes nothing.
 *
 * @throws {Problem} `forbidden`, `secret-not-found`, `version-not-found`, `version-conflict`, `storage-unavailable`.
 */
export async function destroyVersion(
  needs: CallerNeeds & { readonly now: Date },
  caller: Caller,
  selector: SecretSelector,
  version: number,
  precondition: Precondition,
): Promise<void> {
  caller.require("secrets:write", ...("id" in selector ? [] : [selector.scope, selector.name]));
  const { db, now } = needs;
  await retryWhenChanged(async () => {
    const secret = await findSecret(needs, caller, selector);
    if (!secret) throw secretNotFound(selector);
    const { id, scope, name } = secret;
    caller.require("secrets:write", scope, name);
    checkPrecondition(precondition, secret);
    if (version > secret.version) throw versionNotFound(version);
    if (version === secret.version)
      throw new Problem("version-conflict", "The current version cannot be destroyed; set another value first, or delete the secret.");
    const live = await findVersion(needs, caller, secret, version);
    const destroy = () => destroyVersions(db, [{ secret_id: id, from: version, to: version }], now.getTime());
    const changes = live === undefined ? [] : [touchSecrets(db, [secret]), requireChanges(db, 1), ...destroy()];
    await writeForCaller(needs, caller, changes, { action: "secret.destroy", secrets: [{ id, name, scope, version }] });
  });
}
