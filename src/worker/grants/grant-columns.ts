import type { Pattern } from "../../contract/pattern.ts";
import type { Permission } from "../../contract/permission.ts";
import type { Grant } from "../access/caller.ts";

/** A grant as D1 has it: JSON arrays, `NULL` for no limit. */
export interface GrantColumns {
  readonly permissions: string;
  readonly secret_scopes: string | null;
  readonly secret_names: string | null;
}

/** A grant for D1. */
export function toColumns({ permissions, secretScopes, secretNames }: Grant): GrantColumns {
  return {
    permissions: JSON.stringify([...permissions].sort()),
    secret_scopes: secretScopes && JSON.stringify(secretScopes),
    secret_names: secretNames && JSON.stringify(secretNames),
  };
}

/** A grant from D1. */
export function fromColumns({ permissions, secret_scopes, secret_names }: GrantColumns): Grant {
  return {
    permissions: new Set(JSON.parse(permissions) as Permission[]),
    secretScopes: secret_scopes === null ? null : (JSON.parse(secret_scopes) as Pattern[]),
    secretNames: secret_names === null ? null : (JSON.parse(secret_names) as Pattern[]),
  };
}
