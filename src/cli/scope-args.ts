import { scopeSchema } from "../contract/scope.ts";
import { usageError } from "./cli-error.ts";
import type { Arguments } from "./define-command.ts";

/** The scope that holds a secret. */
export const SCOPE_ARG = {
  scope: {
    type: "string",
    alias: "s",
    valueHint: "SCOPE",
    default: "global",
    suggests: "scope",
    description: "global, team:NAME, namespace:NAME, agent:NAME or repo:PATH",
  },
} as const satisfies Arguments;

/** The scopes that a resolve is to search. */
export const SCOPES_ARG = {
  scope: {
    type: "string",
    alias: "s",
    valueHint: "SCOPE",
    repeatable: true,
    suggests: "scope",
    description: "a scope to search, at most one of each kind; may be repeated [the token's own scopes]",
  },
} as const satisfies Arguments;

/** Scopes as they were given, or `undefined` for the token's own. */
export function scopesOf(given: readonly string[]): string[] | undefined {
  for (const scope of given) requireScope(scope);
  return given.length > 0 ? [...given] : undefined;
}

/** Refuses what is no scope before anything is asked or sent. */
export function requireScope(scope: string): string {
  if (scopeSchema.safeParse(scope).success) return scope;
  throw usageError("that is not a scope", "global, team:NAME, namespace:NAME, agent:NAME or repo:PATH");
}
