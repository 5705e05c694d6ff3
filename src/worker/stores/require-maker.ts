import { contains, type Pattern } from "../../contract/pattern.ts";
import { refsOf, type StoreDefinition } from "../../contract/store.ts";
import type { Caller } from "../access/caller.ts";
import { requireCredentialsOf } from "../access/require-credentials.ts";
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
  const { secretScopes } = caller;
  const covered = reachOf(definition).every((scope) => secretScopes === null || secretScopes.some((pattern) => contains(pattern, scope)));
  if (!covered) throw caller.refuse("stores:write", "The token's grant does not cover every scope that the store may let have keys.");
  requireCredentialsOf(caller, "stores:write", "store", refsOf(definition));
}

/**
 * The scopes that a store may let have keys. Of one without stored credentials the cloud goes by its name alone: as long as it names no
 * scope it may be meant for any, or else whoever may write stores could name their own.
 */
function reachOf(definition: StoreDefinition): Pattern[] {
  const scopes = definition.allow.flatMap(({ scopes }) => scopes as Pattern[]);
  return scopes.length === 0 && needsIdentity(definition) ? ["*" as Pattern] : scopes;
}
