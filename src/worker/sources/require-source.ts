import { invalid } from "../../contract/problem.ts";
import { GLOBAL } from "../../contract/scope.ts";
import { type Source, textOfSource } from "../../contract/source.ts";
import { storeAllows } from "../../contract/store.ts";
import type { Caller } from "../access/caller.ts";
import type { SecretValue } from "../secrets/change.ts";
import type { Target } from "../secrets/set-secret.ts";
import { findStore } from "../stores/read-stores.ts";
import type { CallerNeeds } from "../transaction/run-for-caller.ts";

/**
 * A source as a secret keeps it in the place of a value: only of a key that the store lets the secret's scope have. Otherwise whoever may
 * write one repository would read whatever the store's role can.
 *
 * @throws {Problem} `forbidden`, `invalid-request`, `unauthenticated`, `integrity-failed`, `storage-unavailable`.
 */
export async function requireSource(
  needs: CallerNeeds & { readonly platformOrg: string | null },
  caller: Caller,
  { scope, name }: Target,
  source: Source | undefined,
): Promise<SecretValue> {
  caller.require("secrets:write", scope, name);
  if (!source) throw new Error("neither a value nor a source was given");
  if (scope === GLOBAL && caller.org === needs.platformOrg) throw invalid("/source", "what is built in for every organization has values of its own");
  const found = await findStore(needs, caller, source.store);
  // Of a store that is not there the same is said: which there are is for whoever may write them.
  if (!found || !storeAllows(found.definition, scope, source.key))
    throw invalid("/source", `there is no store of this name that lets ${scope} have this key: its "allow" says which scopes have which`);
  return { bytes: new TextEncoder().encode(textOfSource(source)), encoding: "source" };
}
