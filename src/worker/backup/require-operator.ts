import type { Caller } from "../access/caller.ts";

/** Lets only the operator's own organization read or put back the rows of all. */
export function requireOperator({ platformOrg }: { readonly platformOrg: string | null }, caller: Caller, permission: "backup:read" | "backup:write"): void {
  caller.require(permission);
  if (caller.org !== platformOrg) throw caller.refuse(permission, "Only the operator's own organization (PLATFORM_ORG) backs up and restores the deployment.");
}
