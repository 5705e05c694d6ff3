import type { Caller } from "../access/caller.ts";

/** A link decides where every name of a scope is looked for, and a store where every value is: refuses a caller whose grant covers some names only. */
export function requireEveryName(caller: Caller): void {
  if (caller.secretNames !== null && !caller.secretNames.some((pattern) => pattern === "*"))
    throw caller.refuse("secrets:write", "The token's grant covers some names only, and a scope's parent and its store concern all.");
}
