import { contains, matchesAny, type Pattern } from "../../contract/pattern.ts";
import { refsOf, type StoreDefinition } from "../../contract/store.ts";
import type { Caller } from "../access/caller.ts";
import { needsIdentity } from "./identity-token.ts";

/**
 * Refuses whoever could not have made a store: every scope that it lets have keys has to be within the grant, and its credentials have
 * to be secrets that the caller may use. The store uses them for others from then on, who need not be allowed to: that is why the
 * permission to write the store is not enough.
 *
 * @throws {Problem} `forbidden`.
 */
export function requireMaker(caller: Caller, definition: StoreDefinition): void {
  caller.require("stores:write");
  const { secretScopes, services, permissions } = caller;
  const covered = definition.allow
    .flatMap(({ scopes }) => scopes)
    .every((scope) => secretScopes === null || secretScopes.some((pattern) => contains(pattern, scope as Pattern)));
  if (!covered) throw caller.refuse("stores:write", "The token's grant does not cover every scope that the store lets have keys.");
  // Its name is all that the cloud goes by. Where no scope is named yet it is for whoever may have all: else anybody could name their own.
  if (needsIdentity(definition) && definition.allow.length === 0 && secretScopes !== null)
    throw caller.refuse(
      "stores:write",
      "A store without stored credentials, and without scopes in its allow, is made, replaced, deleted and tried by a grant of all scopes.",
    );
  const refs = refsOf(definition);
  if (refs.length > 0 && !permissions.has("secrets:resolve")) {
    caller.require("secrets:use");
    if (services !== null) throw caller.refuse("secrets:resolve", "The token's grant lets secrets be used by some services, and by no store.");
  }
  if (!refs.every(({ scope, name }) => matchesAny(secretScopes, scope) && matchesAny(caller.secretNames, name)))
    throw caller.refuse("stores:write", "The token's grant does not cover the secrets that have the store's credentials.");
}
