import { GLOBAL } from "../../contract/scope.ts";
import { tellUndeclared } from "../empty-scopes.ts";
import { type LocalScope, showScope } from "./local-scope.ts";
import type { Store } from "./store-file.ts";

/**
 * Warns of scopes that were named and that hold no secret and are under no other one: one that is misspelled would silently leave
 * its place to a wider one.
 *
 * @throws {CliError} in place of the warning, when it is `strict`.
 */
export function tellEmpty({ secrets, parents }: Pick<Store, "secrets" | "parents">, named: readonly LocalScope[], strict: boolean): void {
  const known = new Set<LocalScope>([...secrets.map(({ scope }) => scope), ...(Object.keys(parents) as LocalScope[]), GLOBAL as string as LocalScope]);
  tellUndeclared(named.filter((scope) => !known.has(scope)).map(showScope), [...known].map(showScope), strict);
}
