import { eachLimitField, type LimitFields } from "../../../contract/limits.ts";
import type { Permission } from "../../../contract/permission.ts";
import type { Grant } from "../../access/caller.ts";

/** A grant as replies show it. */
export interface GrantBody extends LimitFields<string[] | null> {
  readonly permissions: Permission[];
}

/** A grant for a reply. */
export function grantBody(grant: Grant): GrantBody {
  return { permissions: [...grant.permissions].sort(), ...eachLimitField((limit) => grant[limit] && [...grant[limit]]) };
}
