import type { Scope } from "../../contract/scope.ts";
import type { SecretName } from "../../contract/secret-name.ts";
import type { Caller } from "../access/caller.ts";
import type { CallerNeeds } from "../transaction/run-for-caller.ts";
import { findKept } from "./find-secret.ts";

/** A version whose secret, or object, is deleted. Times are milliseconds since 1970. */
export interface DeletedVersion {
  readonly version: number;
  readonly createdAt: number;
  readonly deletedAt: number;
}

/**
 * The version with which a deleted secret could come back, for a caller who would be given its value if it were there:
 * `undefined` where there is none that could.
 *
 * @throws {Problem} `forbidden`, `storage-unavailable`.
 */
export async function findDeleted(
  needs: CallerNeeds & { readonly now: Date },
  caller: Caller,
  target: { readonly scope: Scope; readonly name: SecretName },
): Promise<DeletedVersion | undefined> {
  caller.require("secrets:resolve", target.scope, target.name);
  const row = await findKept(needs, caller, target);
  if (!row || row.deleted_at === null || (row.deleted_until ?? 0) <= needs.now.getTime()) return undefined;
  return { version: row.version, createdAt: row.rotated_at, deletedAt: row.deleted_at };
}
