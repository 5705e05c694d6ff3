import { SCOPE_KINDS, type Scope, scopeSchema } from "../../contract/scope.ts";

/** What a path that cannot be told from a scope begins with, in any case. */
const KINDS: ReadonlySet<string> = new Set([...SCOPE_KINDS, "builtin"]);

/**
 * The scope under which Vault's clients find a path in Keyhole. What begins as a scope does has exactly its form:
 * `global`, `team/x`, `namespace/x`, `agent/x` or `repo/a/b`; everything else is a repository.
 */
export function scopeOfPath(path: string): { readonly scope: Scope; readonly reason?: undefined } | { readonly scope?: undefined; readonly reason: string } {
  const [first = "", ...rest] = path.split("/");
  const reserved = KINDS.has(first.toLowerCase());
  const text = reserved ? [first, rest.join("/")].filter((part) => part !== "").join(":") : `repo:${path}`;
  const scope = scopeSchema.safeParse(text);
  if (scope.success) return { scope: scope.data };
  if (reserved) return { reason: `what begins with ${first}/ is exactly global, team/NAME, namespace/NAME, agent/NAME or repo/PATH: place it with --map` };
  return { reason: "a scope has up to 20 parts of up to 100 letters, digits, '.', '_' or '-': place it with --map" };
}
