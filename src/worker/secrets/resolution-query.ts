import { matchesAny } from "../../contract/pattern.ts";
import type { Permission } from "../../contract/permission.ts";
import { Problem } from "../../contract/problem.ts";
import { scopesSchema } from "../../contract/resolve.ts";
import { BUILTIN, GLOBAL, MAX_DEPTH, type Scope, scopeKind, scopeSchema } from "../../contract/scope.ts";
import type { SecretName } from "../../contract/secret-name.ts";
import type { Caller } from "../access/caller.ts";
import type { ResolutionQuery } from "../store/resolution.ts";
import { rankOf, type SearchedScope } from "../store/scope-search.ts";
import { rangesOf } from "../transaction/text-ranges.ts";

/** What a caller asks for. */
export interface ResolveRequest {
  readonly scopes?: readonly Scope[] | undefined;
  readonly names?: readonly SecretName[] | undefined;
  readonly allowMissing: boolean;
  readonly inherit: boolean;
  /** Whether what is released becomes environment variables, so that no two may share a name of those. */
  readonly distinctEnvNames: boolean;
}

/**
 * What a caller's request means within its grant. The scopes and names it gives must be within the grant; what joins
 * by itself (declared parents, `global`, `builtin`, all names) is only what the grant allows.
 *
 * @throws {Problem} `forbidden`, `invalid-request`.
 */
export function resolutionQuery(
  { platformOrg, now }: { readonly platformOrg: string | null; readonly now: Date },
  caller: Caller,
  permission: Permission,
  request: ResolveRequest,
): ResolutionQuery {
  const scopes = request.scopes ?? grantedScopes(caller);
  caller.require(permission, scopes, request.names);
  return {
    org: caller.org,
    scopes: [...scopes.map((scope) => searched(caller.org, scope)), ...(request.inherit ? joining(platformOrg, caller, scopes) : [])],
    depth: request.inherit ? MAX_DEPTH : 0,
    scope_limits: caller.secretScopes,
    names: request.names ?? null,
    name_ranges: rangesOf(caller.secretNames),
    strict: !request.allowMissing,
    distinct_env_names: request.distinctEnvNames,
    now: now.getTime(),
  };
}

function searched(org: string, scope: Scope): SearchedScope {
  return { org, scope, label: scope, rank: rankOf(scopeKind(scope)) };
}

/** What joins a search by itself, whatever is declared. `builtin` is the `global` scope of the operator's organization. */
function joining(platform: string | null, { org, secretScopes }: Caller, scopes: readonly Scope[]): SearchedScope[] {
  const global = !scopes.includes(GLOBAL) && matchesAny(secretScopes, GLOBAL);
  const builtin = platform !== null && matchesAny(secretScopes, BUILTIN);
  return [...(global ? [searched(org, GLOBAL)] : []), ...(builtin ? [{ org: platform, scope: GLOBAL, label: BUILTIN, rank: rankOf(BUILTIN) }] : [])];
}

/** The exact scopes in a grant, or `global` where it has none: but for a grant of `builtin` alone, which joins by itself. */
function grantedScopes({ secretScopes }: Caller): Scope[] {
  const exact = [...new Set((secretScopes ?? []).flatMap((pattern) => scopeSchema.safeParse(pattern).data ?? []))];
  if (exact.length === 0) return secretScopes?.length && secretScopes.every((pattern) => pattern === BUILTIN) ? [] : [GLOBAL];
  const scopes = scopesSchema.safeParse(exact);
  if (!scopes.success) throw new Problem("invalid-request", "The token's grant holds several scopes of one kind: say which to search, in scopes.");
  return scopes.data;
}
