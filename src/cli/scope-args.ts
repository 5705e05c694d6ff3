import { scopeSchema } from "../contract/scope.ts";
import { usageError } from "./cli-error.ts";
import type { Arguments } from "./define-command.ts";
import { findProject } from "./project-file.ts";
import { askText, canAsk } from "./prompt.ts";

/** The scope that holds a secret. */
export const SCOPE_ARG = {
  scope: {
    type: "string",
    alias: "s",
    valueHint: "SCOPE",
    suggests: "scope",
    description: "global, team:NAME, namespace:NAME, agent:NAME or repo:PATH [KEYHOLE_SCOPE, the first one of keyhole.json, or else global]",
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
    description: "a scope to search, at most one of each kind; may be repeated [KEYHOLE_SCOPE, those of keyhole.json, or else the token's own]",
  },
} as const satisfies Arguments;

/** The scope that a secret is written to: it is asked for where nothing says which. */
export const WRITE_SCOPE_ARG = {
  scope: {
    ...SCOPE_ARG.scope,
    description: "global, team:NAME, namespace:NAME, agent:NAME or repo:PATH [KEYHOLE_SCOPE, or the first one of keyhole.json; else it is asked for]",
  },
} as const satisfies Arguments;

/** Scopes as they were given, or else as the environment or the project file says, or `undefined` for the token's own. */
export function scopesOf(given: readonly string[]): string[] | undefined {
  const scopes = given.length > 0 ? given : (usualScopes() ?? []);
  for (const scope of scopes) requireScope(scope);
  return scopes.length > 0 ? [...scopes] : undefined;
}

/** The scope that was given, or else the first one that the environment or the project file says, or `global`. */
export function scopeOf(given: string | undefined): string {
  return requireScope(given ?? usualScopes()?.[0] ?? "global");
}

/**
 * The same for what is written, where it is never `global` unless somebody says so: what is there is for everybody.
 *
 * @throws {CliError} where nothing says which, and nobody can be asked.
 */
export async function scopeToWrite(given: string | undefined): Promise<string> {
  const scope = given ?? usualScopes()?.[0];
  if (scope !== undefined) return requireScope(scope);
  if (!canAsk())
    throw usageError("the scope is not named", "--scope SCOPE, for everybody --scope global; or KEYHOLE_SCOPE, or a keyhole.json (`keyhole init`)");
  return requireScope(await askText("Which scope", "global, or namespace:prod, repo:acme/api …"));
}

/** What `KEYHOLE_SCOPE` says, separated by commas, or else the project file. */
function usualScopes(): readonly string[] | undefined {
  const said = (process.env.KEYHOLE_SCOPE ?? "").split(",").flatMap((scope) => scope.trim() || []);
  return said.length > 0 ? said : findProject()?.scopes;
}

/** Refuses what is no scope before anything is asked or sent. */
export function requireScope(scope: string): string {
  if (scopeSchema.safeParse(scope).success) return scope;
  throw usageError("that is not a scope", "global, team:NAME, namespace:NAME, agent:NAME or repo:PATH");
}
