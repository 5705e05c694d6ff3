import type { Caller } from "../access/caller.ts";
import type { SecretRow } from "../store/secret-columns.ts";
import type { CallerNeeds } from "../transaction/run-for-caller.ts";
import { findSecret, secretNotFound } from "./find-secret.ts";
import type { SecretSelector } from "./secret-selector.ts";

export type { SecretRow };

/**
 * The metadata of one secret.
 *
 * @throws {Problem} `forbidden`, `secret-not-found`, `storage-unavailable`.
 */
export async function getSecret(needs: CallerNeeds, caller: Caller, selector: SecretSelector): Promise<SecretRow> {
  caller.require("secrets:read", ...("id" in selector ? [] : [selector.scope, selector.name]));
  const row = await findSecret(needs, caller, selector);
  if (!row) throw secretNotFound(selector);
  caller.require("secrets:read", row.scope, row.name);
  return row;
}
