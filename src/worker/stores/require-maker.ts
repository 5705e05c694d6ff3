import { contains, matchesAny, type Pattern } from "../../contract/pattern.ts";
import { refsOf, type StoreDefinition } from "../../contract/store.ts";
import type { Caller } from "../access/caller.ts";

/**
 * Refuses whoever could not have made a store: every scope that it lets have keys has to be within the grant, and its credentials have
 * to be secrets that the caller may use. The store uses them for others from then on, who need not be allowed to: that is why the
 * permission to write the store is not enough.
 *
 * @throws {Problem} `forbidden`.
 */
export function requireMaker(caller: Caller, definition: StoreDefinition): void {
  caller.require("stores:write");
  const { secretScopes, permissions } = caller;
  const covered = definition.allow
    .flatMap(({ scopes }) => scopes)
    .every((scope) => secretScopes === null || secretScopes.some((pattern) => contains(pattern, scope as Pattern)));
  if (!covered) throw caller.refuse("stores:write", "The token's grant does not cover every scope that the store lets have keys.");
  const refs = refsOf(definition);
  if (refs.length > 0 && !permissions.has("secrets:resolve")) caller.require("secrets:use");
  if (!refs.every(({ scope, name }) => matchesAny(secretScopes, scope) && matchesAny(caller.secretNames, name)))
    throw caller.refuse("stores:write", "The token's grant does not cover the secrets that have the store's credentials.");
}
