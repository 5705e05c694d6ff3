import type { Caller } from "../access/caller.ts";
import type { SecretRow } from "../store/secret-columns.ts";
import type { CallerNeeds } from "../transaction/run-for-caller.ts";
import { findKept, findSecret, secretNotFound } from "./find-secret.ts";
import type { SecretSelector } from "./secret-selector.ts";

export type { SecretRow };

/**
 * The metadata of one secret.
 *
 * @throws {Problem} `forbidden`, `secret-not-found`, `storage-unavailable`.
 */
export function getSecret(needs: CallerNeeds, caller: Caller, selector: SecretSelector): Promise<SecretRow> {
  return get(needs, caller, selector, findSecret);
}

/**
 * The metadata of one secret, also of one that was deleted and can come back.
 *
 * @throws {Problem} `forbidden`, `secret-not-found`, `storage-unavailable`.
 */
export async function getKeptSecret(needs: CallerNeeds & { readonly now: Date }, caller: Caller, selector: SecretSelector): Promise<SecretRow> {
  const row = await get(needs, caller, selector, findKept);
  if (row.deleted_until !== null && row.deleted_until <= needs.now.getTime()) throw secretNotFound(selector);
  return row;
}

async function get(needs: CallerNeeds, caller: Caller, selector: SecretSelector, find: typeof findKept): Promise<SecretRow> {
  caller.require("secrets:read", ...("id" in selector ? [] : [selector.scope, selector.name]));
  const row = await find(needs, caller, selector);
  if (!row) throw secretNotFound(selector);
  caller.require("secrets:read", row.scope, row.name);
  return row;
}
