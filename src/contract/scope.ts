import * as z from "zod";
import { MAX_SCOPE_LENGTH, NAME, REPO_PATH, whole } from "./grammar.ts";
import { SCOPE_KINDS, type ScopeKind } from "./scope-kinds.ts";

export { SCOPE_KINDS, type ScopeKind };

const SCOPE = `global|(?:team|namespace|agent):${NAME}|repo:${REPO_PATH}`;

/**
 * Where a secret applies: `global`, `team:<name>`, `namespace:<name>`, `agent:<name>` or `repo:<path>`.
 * Case-sensitive; `grammar.ts` says what a name and a path are.
 */
export const scopeSchema = z
  .string()
  .max(MAX_SCOPE_LENGTH)
  .regex(whole(SCOPE), {
    error:
      "a scope is global, team:<name>, namespace:<name>, agent:<name> or repo:<path>; a name is up to 64 letters, digits, '.', '_' or '-' and starts with a letter or digit; a path is 1 to 20 parts of up to 100 such characters joined by '/', none of which is '.' or '..'",
  })
  .brand<"Scope">()
  .meta({
    id: "Scope",
    description: "Where a secret applies: `global`, `team:<name>`, `namespace:<name>`, `agent:<name>` or `repo:<path>`.",
    example: "namespace:prod",
  });

export type Scope = z.infer<typeof scopeSchema>;

export const GLOBAL = "global" as Scope;

/** The label under which the operator's own `global` secrets appear in a resolve. Nobody can write to it under this name. */
export const BUILTIN = "builtin";

/** How many declared parents a scope may have above it. */
export const MAX_DEPTH = 8;

/** The part of a scope before the colon. */
export function scopeKind(scope: Scope): ScopeKind {
  return scope.split(":", 1)[0] as ScopeKind;
}

/** Scopes in the order in which a resolve searches them, most specific kind first. */
export function bySpecificity(a: Scope, b: Scope): number {
  return SCOPE_KINDS.indexOf(scopeKind(a)) - SCOPE_KINDS.indexOf(scopeKind(b));
}
