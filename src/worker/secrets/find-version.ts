import { Problem } from "../../contract/problem.ts";
import type { StoredEncoding } from "../../contract/secret.ts";
import type { Caller } from "../access/caller.ts";
import { rowsOf } from "../store/run-batch.ts";
import type { StoredValue } from "../store/version-columns.ts";
import { selectVersion } from "../store/version-rows.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";

/** The stored value of one version of a secret, or `undefined` when it is not there, or destroyed. */
export async function findVersion(
  needs: CallerNeeds,
  caller: Caller,
  secret: { readonly org: string; readonly id: string },
  version: number,
): Promise<(StoredValue & { readonly encoding: StoredEncoding }) | undefined> {
  const [found] = await readForCaller(needs, caller, [selectVersion(needs.db, secret, version)]);
  return rowsOf<StoredValue & { encoding: StoredEncoding }>(found)[0];
}

/** The answer when a version is not there, or is destroyed. */
export function versionNotFound(version: number): Problem {
  return new Problem("version-not-found", `There is no version ${version} whose value is kept.`);
}
