import type { Action } from "../../contract/audit.ts";
import type { SecretName } from "../../contract/secret-name.ts";
import type { Caller } from "../access/caller.ts";
import type { CurrentRow } from "../store/secret-rows.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import type { Verified } from "../transaction/verify-row.ts";
import type { Change } from "./change.ts";
import { findCurrent, secretNotFound } from "./find-secret.ts";
import { checkPrecondition, type Precondition } from "./precondition.ts";
import type { SecretSelector } from "./secret-selector.ts";
import { type NamingNeeds, refuseReserved } from "./set-secret.ts";
import { planChange, type Write, type WriteNeeds, writeSecrets } from "./write-secrets.ts";

/**
 * Changes a secret that is there: its value, its metadata, or both.
 *
 * @throws {Problem} `forbidden`, `name-reserved`, `secret-not-found`, `version-conflict`, `storage-unavailable`.
 */
export async function patchSecret(needs: NamingNeeds, caller: Caller, selector: SecretSelector, change: Change, precondition: Precondition): Promise<Write> {
  caller.require("secrets:write", ...("id" in selector ? [] : [selector.scope, selector.name]));
  return changeCurrent(needs, caller, selector, precondition, "secret.update", async ({ name }) => {
    if (change.metadata?.variable === 1) refuseReserved(name as SecretName, needs.reservedNames);
    return change;
  });
}

/** Finds a secret, plans a change to what was found, and writes it; again when somebody else's write came between. */
export function changeCurrent(
  needs: WriteNeeds,
  caller: Caller,
  selector: SecretSelector,
  precondition: Precondition,
  action: Action,
  changeOf: (current: Verified<CurrentRow>) => Promise<Change>,
): Promise<Write> {
  return retryWhenChanged(async () => {
    const current = await findCurrent(needs, caller, selector);
    if (!current) throw secretNotFound(selector);
    caller.require("secrets:write", current.scope, current.name);
    checkPrecondition(precondition, current);
    const sealing = await allowSealing(needs);
    const write = await planChange(sealing, caller, current, await changeOf(current));
    await writeSecrets(sealing, caller, action, [write]);
    return write;
  });
}
