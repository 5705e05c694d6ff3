import { matchesAny, type Pattern } from "../../contract/pattern.ts";
import type { Permission } from "../../contract/permission.ts";
import { Problem } from "../../contract/problem.ts";
import { ALWAYS_RESERVED } from "../../contract/reserved-name.ts";
import { scopesSchema } from "../../contract/resolve.ts";
import { BUILTIN, GLOBAL, type Scope, scopeKind } from "../../contract/scope.ts";
import type { SecretName } from "../../contract/secret-name.ts";
import type { Caller } from "../access/caller.ts";
import { exactScopes } from "../access/exact-scopes.ts";
import type { ResolutionQuery } from "../store/resolution.ts";
import { rankOf, type SearchedScope } from "../store/scope-search.ts";
import { rangesOf } from "../transaction/text-ranges.ts";

/** What a caller asks for. */
export interface ResolveRequest {
  readonly scopes?: readonly Scope[] | undefined;
  readonly names?: readonly SecretName[] | undefined;
  readonly allowMissing: boolean;
  readonly inherit: boolean;
  /** Whether what is released becomes environment variables: of one name there is one, and of a reserved name none. */
  readonly asVariables: boolean;
  /** The one scope that is read as one object, with its revision; it is the only one of `scopes`. */
  readonly object?: Scope | undefined;
}

/** What making a query of a request needs. */
export interface QueryNeeds {
  readonly platformOrg: string | null;
  /** What the deployment reserves beside {@link ALWAYS_RESERVED}. */
  readonly reservedNames: readonly Pattern[];
  readonly now: Date;
}

/**
 * What a caller's request means within its grant. The scopes and names it gives must be within the grant; what joins
 * by itself (declared parents, `global`, `builtin`, all names) is only what the grant allows.
 *
 * @throws {Problem} `forbidden`, `invalid-request`.
 */
export function resolutionQuery(
  { platformOrg, reservedNames, now }: QueryNeeds,
  caller: Caller,
  permission: Permission,
  request: ResolveRequest,
): ResolutionQuery {
  const scopes = request.scopes ?? grantedScopes(caller);
  caller.require(permission, scopes, request.names);
  const joins = (label: string) => request.inherit && matchesAny(caller.secretScopes, label);
  return {
    org: caller.org,
    scopes: [...scopes.map((scope) => walked(caller.org, scope, true)), ...everywhere(platformOrg, caller.org, scopes, joins)],
    inherit: request.inherit,
    scope_limits: caller.secretScopes,
    names: request.names ?? null,
    name_ranges: rangesOf(caller.secretNames),
    strict: request.names !== undefined && !request.allowMissing,
    reserved: request.asVariables ? reservedVariables(reservedNames) : null,
    only_scope: request.scopes?.length === 1 ? (request.scopes[0] ?? null) : null,
    object: request.object ?? null,
    now: now.getTime(),
  };
}

/** What is looked for in one scope and in no other, by exact names. What is locked above it is looked up all the same. */
export function oneScopeQuery(
  { platformOrg, now }: Pick<QueryNeeds, "platformOrg" | "now">,
  caller: Caller,
  scope: Scope | typeof BUILTIN,
  names: readonly string[],
  strict: boolean,
): ResolutionQuery {
  const { org, secretScopes } = caller;
  const scopes =
    scope === BUILTIN
      ? everywhere(platformOrg, org, [], (label) => label === BUILTIN)
      : [walked(org, scope, true), ...everywhere(platformOrg, org, [scope], () => false)];
  const only_scope = scope === BUILTIN ? null : scope;
  return {
    org,
    scopes,
    inherit: false,
    scope_limits: secretScopes,
    names,
    name_ranges: [],
    strict,
    reserved: null,
    only_scope,
    object: null,
    now: now.getTime(),
  };
}

function reservedVariables(deployment: readonly Pattern[]): ResolutionQuery["reserved"] {
  const patterns: readonly string[] = [...ALWAYS_RESERVED, ...deployment];
  const prefixes = patterns.filter((pattern) => pattern.endsWith("*")).map((pattern) => pattern.slice(0, -1));
  return { names: patterns.filter((pattern) => !pattern.endsWith("*")), prefixes };
}

/** A scope, and from where on there is everything above it: declared parents are found from there. */
export function everyAbove(platform: string | null, org: string, scope: Scope): SearchedScope[] {
  return [walked(org, scope, true), ...everywhere(platform, org, [scope], () => true)];
}

function walked(org: string, scope: Scope, searched: boolean): SearchedScope {
  return { org, scope, label: scope, rank: rankOf(scopeKind(scope)), searched };
}

/** What there is above every scope, whatever is declared. `builtin` is the `global` scope of the operator's organization. */
function everywhere(platform: string | null, org: string, scopes: readonly Scope[], joins: (label: string) => boolean): SearchedScope[] {
  const builtin = platform === null ? [] : [{ org: platform, scope: GLOBAL, label: BUILTIN, rank: rankOf(BUILTIN), searched: joins(BUILTIN) }];
  return [...(scopes.includes(GLOBAL) ? [] : [walked(org, GLOBAL, joins(GLOBAL))]), ...builtin];
}

/** The exact scopes in a grant, or `global` where it has none: but for a grant of `builtin` alone, which joins by itself. */
function grantedScopes(caller: Caller): Scope[] {
  const { secretScopes } = caller;
  const exact = exactScopes(caller);
  if (exact.length === 0) return secretScopes?.length && secretScopes.every((pattern) => pattern === BUILTIN) ? [] : [GLOBAL];
  const scopes = scopesSchema.safeParse(exact);
  if (!scopes.success) throw new Problem("invalid-request", "The token's grant holds several scopes of one kind: say which to search, in scopes.");
  return scopes.data;
}
