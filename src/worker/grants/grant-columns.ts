import { eachLimitField, type LimitFields, limitsOf } from "../../contract/limits.ts";
import type { Pattern } from "../../contract/pattern.ts";
import type { Permission } from "../../contract/permission.ts";
import type { Grant } from "../access/caller.ts";

/** A grant as D1 has it: JSON arrays, `NULL` for no limit. */
export interface GrantColumns extends LimitFields<string | null> {
  readonly permissions: string;
}

/** A grant for D1. */
export function toColumns(grant: Grant): GrantColumns {
  return { permissions: JSON.stringify([...grant.permissions].sort()), ...eachLimitField((limit) => grant[limit] && JSON.stringify(grant[limit])) };
}

/** A grant from D1. */
export function fromColumns(columns: GrantColumns): Grant {
  const lists = eachLimitField((_, { field }) => JSON.parse(columns[field] ?? "null") as Pattern[] | null);
  return { permissions: new Set(JSON.parse(columns.permissions) as Permission[]), ...limitsOf(lists) };
}
