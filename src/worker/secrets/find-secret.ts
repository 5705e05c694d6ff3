import { Problem } from "../../contract/problem.ts";
import type { Caller } from "../access/caller.ts";
import { rowsOf } from "../store/run-batch.ts";
import type { SecretRow } from "../store/secret-columns.ts";
import { type CurrentRow, selectCurrent, selectSecret } from "../store/secret-rows.ts";
import { runForCaller } from "../transaction/run-for-caller.ts";
import type { SecretSelector } from "./secret-selector.ts";

/** One secret of the caller's organization, or `undefined`. */
export async function findSecret(db: D1Database, caller: Caller, selector: SecretSelector): Promise<SecretRow | undefined> {
  const [found] = await runForCaller(db, caller, [selectSecret(db, { org: caller.org, ...selector })]);
  return rowsOf<SecretRow>(found)[0];
}

/** One secret of the caller's organization with its current value, or `undefined`. */
export async function findCurrent(db: D1Database, caller: Caller, selector: SecretSelector): Promise<CurrentRow | undefined> {
  const [found] = await runForCaller(db, caller, [selectCurrent(db, { org: caller.org, ...selector })]);
  return rowsOf<CurrentRow>(found)[0];
}

/** The answer when a secret is not there, or belongs to another organization. */
export function secretNotFound(selector: SecretSelector): Problem {
  return new Problem("secret-not-found", "id" in selector ? "There is no secret with this id." : `There is no secret ${selector.name} in ${selector.scope}.`);
}
