import { Problem } from "../../contract/problem.ts";
import type { Caller } from "../access/caller.ts";
import { rowsOf } from "../store/run-batch.ts";
import type { SecretRow } from "../store/secret-columns.ts";
import { type CurrentRow, selectCurrent, selectSecret } from "../store/secret-rows.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { type Verified, verifyRow } from "../transaction/verify-row.ts";
import type { SecretSelector } from "./secret-selector.ts";

/** One secret of the caller's organization, or `undefined`; what is deleted is not there. */
export async function findSecret(needs: CallerNeeds, caller: Caller, selector: SecretSelector): Promise<Verified<SecretRow> | undefined> {
  const row = await findKept(needs, caller, selector);
  return row?.deleted_at === null ? row : undefined;
}

/** One secret of the caller's organization, also one that was deleted and is still kept, or `undefined`. */
export async function findKept(needs: CallerNeeds, caller: Caller, selector: SecretSelector): Promise<Verified<SecretRow> | undefined> {
  const [found] = await readForCaller(needs, caller, [selectSecret(needs.db, { org: caller.org, ...selector })]);
  const [row] = rowsOf<SecretRow>(found);
  return row && verifyRow(needs.keyring, "secrets", row);
}

/** One secret of the caller's organization with its current value, or `undefined`; what is deleted is not there. */
export async function findCurrent(needs: CallerNeeds, caller: Caller, selector: SecretSelector): Promise<Verified<CurrentRow> | undefined> {
  const row = await findKeptCurrent(needs, caller, selector);
  return row?.deleted_at === null ? row : undefined;
}

/** One secret of the caller's organization with its current value, also one that was deleted and is still kept, or `undefined`. */
export async function findKeptCurrent(needs: CallerNeeds, caller: Caller, selector: SecretSelector): Promise<Verified<CurrentRow> | undefined> {
  const [found] = await readForCaller(needs, caller, [selectCurrent(needs.db, { org: caller.org, ...selector })]);
  const [row] = rowsOf<CurrentRow>(found);
  return row && verifyRow(needs.keyring, "secrets", row);
}

/** The answer when a secret is not there, or belongs to another organization. */
export function secretNotFound(selector: SecretSelector): Problem {
  return new Problem("secret-not-found", "id" in selector ? "There is no secret with this id." : `There is no secret ${selector.name} in ${selector.scope}.`);
}
