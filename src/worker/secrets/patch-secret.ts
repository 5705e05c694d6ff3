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
import { type NamingNeeds, refuseReserved } from "./set-secret.ts";
import { planChange, type Write, type WriteNeeds, writeSecrets } from "./write-secrets.ts";

/**
 * Changes a secret by its id: its value, its metadata, or both.
 *
 * @throws {Problem} `forbidden`, `name-reserved`, `secret-not-found`, `version-conflict`, `storage-unavailable`.
 */
export async function patchSecret(needs: NamingNeeds, caller: Caller, id: string, change: Change, precondition: Precondition): Promise<Write> {
  caller.require("secrets:write");
  return changeById(needs, caller, id, precondition, "secret.update", async ({ name }) => {
    if (change.metadata?.variable === 1) refuseReserved(name as SecretName, needs.reservedNames);
    return change;
  });
}

/** Finds a secret by its id, plans a change to what was found, and writes it; again when somebody else's write came between. */
export function changeById(
  needs: WriteNeeds,
  caller: Caller,
  id: string,
  precondition: Precondition,
  action: Action,
  changeOf: (current: Verified<CurrentRow>) => Promise<Change>,
): Promise<Write> {
  return retryWhenChanged(async () => {
    const current = await findCurrent(needs, caller, { id });
    if (!current) throw secretNotFound({ id });
    caller.require("secrets:write", current.scope, current.name);
    checkPrecondition(precondition, current);
    const sealing = await allowSealing(needs);
    const write = await planChange(sealing, caller, current, await changeOf(current));
    await writeSecrets(sealing, caller, action, [write]);
    return write;
  });
}
