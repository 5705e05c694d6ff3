import type { Permission } from "../../../contract/permission.ts";
import type { Grant } from "../../access/caller.ts";

/** A grant as replies show it. */
export interface GrantBody {
  readonly permissions: Permission[];
  readonly secret_scopes: string[] | null;
  readonly secret_names: string[] | null;
}

/** A grant for a reply. */
export function grantBody({ permissions, secretScopes, secretNames }: Grant): GrantBody {
  return { permissions: [...permissions].sort(), secret_scopes: secretScopes && [...secretScopes], secret_names: secretNames && [...secretNames] };
}
