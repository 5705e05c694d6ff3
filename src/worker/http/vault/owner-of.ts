import { Problem } from "../../../contract/problem.ts";
import type { Caller } from "../../access/caller.ts";
import { explainSecret } from "../../secrets/explain-secret.ts";
import type { SecretSelector } from "../../secrets/secret-selector.ts";
import type { RequestNeeds } from "../needs-of.ts";
import type { NamedSecret } from "./vault-scope.ts";

/** The secret that a path names, to read what is said of it: without a scope the one that a read would give. */
export async function ownerOf(needs: RequestNeeds, caller: Caller, { scope, name }: NamedSecret): Promise<SecretSelector> {
  if (scope !== null) return { scope, name };
  const { winner } = await explainSecret(needs, caller, name, undefined);
  if (!winner) throw new Problem("secret-not-found", "There is no such secret.");
  return { id: winner.id };
}
