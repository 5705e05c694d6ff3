import type { Limits } from "../../contract/limits.ts";
import { type Scope, scopeSchema } from "../../contract/scope.ts";

/** The scopes that a grant names exactly, each once. */
export function exactScopes({ secretScopes }: Pick<Limits, "secretScopes">): Scope[] {
  return [...new Set((secretScopes ?? []).flatMap((pattern) => scopeSchema.safeParse(pattern).data ?? []))];
}
