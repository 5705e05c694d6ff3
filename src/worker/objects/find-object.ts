import { MAX_OBJECT_SECRETS } from "../../contract/object.ts";
import type { Scope } from "../../contract/scope.ts";
import type { Caller } from "../access/caller.ts";
import { rowsOf } from "../store/run-batch.ts";
import { type ScopeRevision, selectRevision } from "../store/scope-revisions.ts";
import type { SecretRow } from "../store/secret-columns.ts";
import { selectFirstSecrets } from "../store/secret-rows.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { type Verified, verifyRows } from "../transaction/verify-row.ts";
import { type ObjectState, objectState } from "./object.ts";

/** An object as it was found: its state, and up to one more secret than one call writes. */
export interface FoundObject {
  readonly state: ObjectState;
  readonly rows: readonly Verified<SecretRow>[];
}

/** Finds an object, by one transaction: what is there of it, or also what was deleted and is kept. */
export async function findObject(needs: CallerNeeds, caller: Caller, scope: Scope, which: "there" | "all" = "there"): Promise<FoundObject> {
  const { db } = needs;
  const [state, found] = await readForCaller(needs, caller, [
    selectRevision(db, { org: caller.org, scope }),
    selectFirstSecrets(db, caller.org, scope, MAX_OBJECT_SECRETS + 1, which),
  ]);
  const rows = await verifyRows(needs.keyring, "secrets", rowsOf<SecretRow>(found));
  return { state: objectState(rowsOf<ScopeRevision>(state)[0]), rows };
}
