import { GLOBAL, MAX_DEPTH } from "../../contract/scope.ts";
import { envName } from "../../contract/secret-name.ts";
import { usageError } from "../cli-error.ts";
import { bySpecificKind, kindOfScope, type LocalScope, reposAbove } from "./local-scope.ts";
import type { LocalSecret, Store } from "./store-file.ts";

/**
 * The scopes to search, most specific first: those that are named, the repositories that a folder is in unless one is named,
 * what all of these are under, and `global`.
 *
 * @throws {CliError} where two of one kind are named.
 */
export function searchOrder({ secrets, parents }: Pick<Store, "secrets" | "parents">, named: readonly LocalScope[], folder: string): LocalScope[] {
  const kinds = named.map(kindOfScope);
  const twice = kinds.find((kind, n) => kinds.indexOf(kind) !== n);
  if (twice !== undefined) throw usageError(`there are two scopes of the kind ${twice}`, "at most one of each kind is searched");
  const known = new Set<string>([...secrets.map(({ scope }) => scope), ...Object.keys(parents)]);
  const found = kinds.includes("repo") ? [] : reposAbove(folder).filter((scope) => known.has(scope));
  const all = [...found, ...named].flatMap((scope) => [scope, ...scopesAbove(parents, scope)]);
  return [...new Set([...all, GLOBAL as string as LocalScope])].sort(bySpecificKind);
}

/** What a scope is under, nearest first. A circle in the file ends where it comes round. */
export function scopesAbove(parents: Store["parents"], scope: LocalScope): LocalScope[] {
  const above: LocalScope[] = [];
  for (let at = parents[scope]; at !== undefined && above.length < MAX_DEPTH && !above.includes(at); at = parents[at]) above.push(at);
  return above;
}

/**
 * Of each name the secret in the most specific scope, and of two names that are one environment variable the one in the more
 * specific scope: by variable.
 *
 * @param names Only these.
 */
export function winnersOf(secrets: readonly LocalSecret[], scopes: readonly LocalScope[], names?: readonly string[]): Map<string, LocalSecret> {
  const winners = new Map<string, LocalSecret>();
  for (const scope of scopes) {
    for (const secret of secrets) {
      if (secret.scope !== scope || (names && !names.includes(secret.name))) continue;
      if (!winners.has(envName(secret.name))) winners.set(envName(secret.name), secret);
    }
  }
  return winners;
}
