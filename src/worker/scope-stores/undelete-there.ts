import { Problem } from "../../contract/problem.ts";
import type { Caller } from "../access/caller.ts";
import { findKeptCurrent, secretNotFound } from "../secrets/find-secret.ts";
import { planUndeletion } from "../secrets/plan-undeletion.ts";
import { checkPrecondition, type Precondition } from "../secrets/precondition.ts";
import type { SecretSelector } from "../secrets/secret-selector.ts";
import { unlessTaken } from "../secrets/unless-taken.ts";
import type { Write } from "../secrets/write-secrets.ts";
import { requireScopeStore } from "../store/scope-store-rows.ts";
import { requireRevisions } from "../store/secret-rows.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import { beginWrites } from "./begin-writes.ts";
import { changeThere } from "./change-there.ts";
import { restoreHere } from "./end-here.ts";
import { findPlace, isThere, keyIn, sourceIn } from "./find-place.ts";
import { openPlace, timeForStore } from "./open-place.ts";
import type { PlaceNeeds } from "./place-needs.ts";

/**
 * {@link undeleteSecret} of a secret whose scope is in a store: in the store, if it brings it back, and here.
 *
 * @throws {Problem} also `store-refused` where the store does not bring it back.
 */
export async function undeleteThere(needs: PlaceNeeds, caller: Caller, selector: SecretSelector, precondition: Precondition): Promise<Write> {
  caller.require("secrets:write", ...("id" in selector ? [] : [selector.scope, selector.name]));
  const over = timeForStore();
  return retryWhenChanged(async () => {
    const row = await findKeptCurrent(needs, caller, selector);
    if (!row || row.deleted_at === null || (row.deleted_until !== null && row.deleted_until <= needs.now.getTime())) throw secretNotFound(selector);
    caller.require("secrets:write", row.scope, row.name);
    checkPrecondition(precondition, row);
    const found = await findPlace(needs, caller, row.scope);
    const { db } = needs;
    if (!isThere(found, row.name, await sourceIn(needs, row)))
      return restoreHere(needs, caller, row, { statements: [requireScopeStore(db, caller.org, row.scope, found.bound)] });
    const key = keyIn(found, row.name);
    const sealing = await allowSealing(needs);
    const place = await openPlace(needs, caller, found, "store.write", over);
    const operation = crypto.randomUUID();
    const plan = { kind: "restore", name: row.name, operation, address: needs.address, requestId: caller.requestId } as const;
    const write = await planUndeletion(sealing, row);
    await unlessTaken(needs, caller, [write], (guards) => beginWrites(sealing, caller, place, [plan], [requireRevisions(db, [row]), ...guards]));
    return changeThere(needs, place, operation, {
      async there() {
        if (!(await place.driver.restore(key))) throw new Problem("store-refused", `The store ${place.bound.store} cannot bring it back.`);
      },
      here: (outside) => restoreHere(needs, caller, row, outside),
    });
  });
}
