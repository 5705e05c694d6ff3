import { type HostPattern, hostMatches } from "../../contract/hosts.ts";
import { namesIn, templatesOf } from "../../contract/injection.ts";
import { matchesAny } from "../../contract/pattern.ts";
import { invalid, Problem } from "../../contract/problem.ts";
import { type BUILTIN, type Scope, scopeKind, scopeSchema } from "../../contract/scope.ts";
import { type ServiceDefinition, secretsOf } from "../../contract/service.ts";
import type { Caller } from "../access/caller.ts";
import { exactScopes } from "../access/exact-scopes.ts";
import { stateOf } from "../secrets/record-selection.ts";
import { oneScopeQuery, type QueryNeeds } from "../secrets/resolution-query.ts";
import { nameLocked, winnersIn } from "../secrets/selection.ts";
import { verifyFound } from "../secrets/verify-found.ts";
import { selectWinners, type Winner, type WinnerRow } from "../store/resolution.ts";
import { rowsOf } from "../store/run-batch.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";

/** A scope that a service may search. */
export type SearchedScope = Scope | typeof BUILTIN;

type Needs = CallerNeeds & Pick<QueryNeeds, "platformOrg" | "now">;

/** The scope that a service's secrets come from. */
export interface ChosenScope {
  readonly scope: SearchedScope;
  /** What decided what was found there, see {@link stateOf}. */
  readonly state: string;
  /** What was read beside it. */
  readonly others: readonly D1Result<never>[];
}

/**
 * Finds the scope that a service's secrets come from: of `scopes` the first that has all of them. What has expired there is not replaced
 * by a wider one, and what is locked above never by a narrower one.
 *
 * @param scopes As {@link scopesToSearch} gives them.
 * @param host The host that the values are to go to.
 * @param beside What is read by the same batch.
 * @throws {Problem} `secret-not-found`, `secret-expired`, `name-locked`, `use-not-allowed`, `unauthenticated`, `integrity-failed`,
 *   `storage-unavailable`.
 */
export async function chooseScope(
  needs: Needs,
  caller: Caller,
  definition: Pick<ServiceDefinition, "inject">,
  scopes: readonly SearchedScope[],
  host: string,
  beside: readonly D1PreparedStatement[] = [],
): Promise<ChosenScope> {
  const names = secretsOf(definition);
  const searches = scopes.map((scope) => selectWinners(needs.db, oneScopeQuery(needs, caller, scope, names, false)));
  const found = await readForCaller(needs, caller, [...searches, ...beside]);
  for (const [n, scope] of scopes.entries()) {
    const rows = rowsOf<WinnerRow>(found[n]);
    const winners = await verified(needs, rows);
    if (winners.length < names.length) continue;
    const locks = winners.filter(({ outside }) => outside);
    // A lock in one of the scopes to come has its turn there.
    if (locks.some(({ label }) => !scopes.slice(n + 1).includes(label as SearchedScope))) throw nameLocked(locks);
    if (locks.length > 0) continue;
    if (winners.some(({ expired }) => expired))
      throw new Problem("secret-expired", `A secret of the service in ${scope} has expired. A wider scope is not used instead.`);
    requireHosts(winners, definition, host);
    return { scope, state: stateOf(rows), others: found.slice(scopes.length) };
  }
  throw new Problem("secret-not-found", `None of ${scopes.join(", ")} has all secrets of the service.`, { members: { searched: [...scopes] } });
}

/**
 * Refuses to send values to a host that is not among those of their secrets. Those of a client that fetches an access token go to the
 * token's endpoint, and what comes from there to the host: both have to be among them.
 *
 * @throws {Problem} `use-not-allowed`, which says to the audit log which secrets.
 */
export function requireHosts(
  secrets: readonly { readonly name: string; readonly label: string; readonly hosts: string }[],
  { inject }: Pick<ServiceDefinition, "inject">,
  host: string,
): void {
  const endpoints = inject.flatMap((injection) =>
    injection.in === "oauth2" ? [{ host: new URL(injection.token_url).hostname, names: templatesOf(injection).flatMap(namesIn) }] : [],
  );
  for (const place of [{ host, names: null }, ...endpoints]) {
    const elsewhere = secrets.filter(({ name, hosts }) => {
      const allowed = JSON.parse(hosts) as HostPattern[];
      return (place.names === null || place.names.includes(name)) && !allowed.some((pattern) => hostMatches(pattern, place.host));
    });
    if (elsewhere.length === 0) continue;
    throw new Problem("use-not-allowed", `A secret of the service is not for ${place.host}: whoever set it says where it may go, in its hosts.`, {
      about: elsewhere.map(({ name, label }) => ({ scope: label, name })),
    });
  }
}

async function verified({ keyring }: Needs, rows: readonly WinnerRow[]): Promise<Winner[]> {
  const winners = winnersIn(rows);
  const [fault] = await verifyFound(keyring, rows[0]?.links ?? "[]", winners);
  if (fault) throw fault.problem;
  return winners;
}

/**
 * The scopes of a service that the grant covers, the most specific first. Of a kind with `*` it is the one that the grant has, or the
 * request says.
 *
 * @param said The scope in the header `Keyhole-Scope`, or `null`.
 * @throws {Problem} `forbidden`, `invalid-request`.
 */
export function scopesToSearch(caller: Caller, definition: Pick<ServiceDefinition, "scopes" | "inject">, said: string | null): SearchedScope[] {
  const { scopes } = definition;
  caller.require("secrets:use", [], secretsOf(definition));
  const open = scopes.find((scope) => scope.endsWith(":*"));
  if (said !== null && open === undefined) throw invalid("header:Keyhole-Scope", "this service searches the scopes that it names, and no other");
  const exact = scopes.map((scope) => (scope === open ? sayScope(caller, scope, said) : (scope as SearchedScope)));
  const covered = exact.filter((scope) => matchesAny(caller.secretScopes, scope));
  if (covered.length === 0) throw caller.refuse("secrets:use", "The token's grant covers none of the scopes in which the service looks for its secrets.");
  return covered;
}

function sayScope(caller: Caller, open: string, said: string | null): Scope {
  const kind = open.slice(0, -":*".length);
  if (said !== null) {
    const scope = scopeSchema.safeParse(said).data;
    if (scope === undefined || scopeKind(scope) !== kind) throw invalid("header:Keyhole-Scope", `this service takes a scope of the kind ${kind}`);
    caller.require("secrets:use", scope);
    return scope;
  }
  const [only, another] = exactScopes(caller).filter((scope) => scopeKind(scope) === kind);
  if (only === undefined || another !== undefined)
    throw invalid("header:Keyhole-Scope", `say which scope of the kind ${kind} is meant: the token's grant does not name exactly one`);
  return only;
}
