import type { Grant } from "../access/caller.ts";
import { widestPattern } from "../access/fill-template.ts";
import { fromColumns, type GrantColumns } from "./grant-columns.ts";

/** The most that a trust could give, whatever the claims that fill its templates. */
export function trustReach(trust: GrantColumns): Grant {
  const grant = fromColumns(trust);
  return { ...grant, secretScopes: grant.secretScopes?.map(widestPattern) ?? null };
}
