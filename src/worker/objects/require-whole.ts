import { matchesAny } from "../../contract/pattern.ts";
import type { Caller } from "../access/caller.ts";

/**
 * Refuses what is about all of an object to a caller whose grant does not cover every name that is there. The refusal says no
 * more than that: a caller who may write in the scope learns that it holds something else, and never what.
 *
 * @throws {Problem} `forbidden`.
 */
export function requireWhole(caller: Caller, rows: readonly { readonly name: string }[]): void {
  if (rows.every(({ name }) => matchesAny(caller.secretNames, name))) return;
  throw caller.refuse("secrets:write", "The token's grant covers some names only, and not all of this object: PATCH sets and deletes those that it covers.");
}
