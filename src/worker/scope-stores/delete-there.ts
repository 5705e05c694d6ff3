import type { Caller } from "../access/caller.ts";
import { findCurrent, secretNotFound } from "../secrets/find-secret.ts";
import { checkPrecondition, type Precondition } from "../secrets/precondition.ts";
import type { SecretSelector } from "../secrets/secret-selector.ts";
import { requireScopeStore } from "../store/scope-store-rows.ts";
import { requireRevisions } from "../store/secret-rows.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import { beginWrites } from "./begin-writes.ts";
import { changeThere } from "./change-there.ts";
import { deleteHere } from "./end-here.ts";
import { findPlace, isThere, keyIn, sourceIn } from "./find-place.ts";
import { openPlace, timeForStore } from "./open-place.ts";
import type { PlaceNeeds } from "./place-needs.ts";

/**
 * {@link deleteSecret} of a secret whose scope is in a store: in the store, as it deletes what can come back, and here. What has its value
 * from elsewhere is deleted here alone.
 *
 * @returns Until when it can come back here, in milliseconds since 1970.
 */
export async function deleteThere(needs: PlaceNeeds, caller: Caller, selector: SecretSelector, precondition: Precondition): Promise<number> {
  caller.require("secrets:write", ...("id" in selector ? [] : [selector.scope, selector.name]));
  const over = timeForStore();
  return retryWhenChanged(async () => {
    const row = await findCurrent(needs, caller, selector);
    if (!row) throw secretNotFound(selector);
    caller.require("secrets:write", row.scope, row.name);
    checkPrecondition(precondition, row);
    const found = await findPlace(needs, caller, row.scope);
    const { db } = needs;
    if (!isThere(found, row.name, await sourceIn(needs, row)))
      return deleteHere(needs, caller, row, { statements: [requireScopeStore(db, caller.org, row.scope, found.bound)] });
    const key = keyIn(found, row.name);
    const sealing = await allowSealing(needs);
    const place = await openPlace(needs, caller, found, "store.write", over);
    const operation = crypto.randomUUID();
    const plan = { kind: "delete", name: row.name, operation, address: needs.address, requestId: caller.requestId } as const;
    await beginWrites(sealing, caller, place, [plan], [requireRevisions(db, [row])]);
    return changeThere(needs, place, operation, {
      there: () => place.driver.delete(key),
      here: (outside) => deleteHere(needs, caller, row, outside),
    });
  });
}
