import { CliError, usageError } from "../cli-error.ts";
import { EXIT } from "../exit-code.ts";
import type { Candidate } from "./compare-push.ts";
import type { LocalPlace } from "./local-place.ts";
import { bySpecificKind, parseLocalScope, showScope } from "./local-scope.ts";
import { notFoundHere } from "./not-found-here.ts";
import { type Placing, placeScopes } from "./place-scopes.ts";
import { readLocal } from "./read-local.ts";
import { readStore } from "./store-file.ts";

/** Which secrets of this machine are to be pushed. */
export interface Wanted {
  /** Only of these scopes; of all where none is named. */
  readonly scopes: readonly string[];
  readonly names: readonly string[] | undefined;
}

/**
 * The secrets that are to be pushed, with their values, and where each goes.
 *
 * @throws {CliError} where there are none, where one has no place, or where a value cannot be had.
 */
export async function findCandidates(place: LocalPlace, { scopes, names }: Wanted, placing: Placing): Promise<Candidate[]> {
  const only = scopes.map((scope) => parseLocalScope(scope));
  const { secrets = [], salt = "" } = readStore(place.path) ?? {};
  const inScopes = secrets.filter(({ scope }) => only.length === 0 || only.includes(scope));
  const missing = names?.filter((name) => !inScopes.some((one) => one.name === name)) ?? [];
  if (missing.length > 0) throw notFoundHere(missing, only.length > 0 ? only : [...new Set(secrets.map(({ scope }) => scope))], secrets);
  const found = inScopes
    .filter(({ name }) => !names || names.includes(name))
    .sort((a, b) => bySpecificKind(b.scope, a.scope) || (a.scope < b.scope ? -1 : a.scope > b.scope ? 1 : a.name < b.name ? -1 : 1));
  if (found.length === 0)
    throw new CliError(
      `there is nothing to push${only.length > 0 ? ` in ${only.map(showScope).join(", ")}` : ""}`,
      "`keyhole list --local` shows what there is on this machine",
      EXIT.notFound,
    );
  const placed = await placeScopes([...new Set(found.map(({ scope }) => scope))], placing);
  const values = await readLocal(place, salt, found);
  return found.map((secret, n) => {
    const to = placed.get(secret.scope);
    if (to === undefined) throw usageError(`${showScope(secret.scope)} has no place in the deployment`, "say where it goes with --as");
    return { secret, value: values[n] as string, to };
  });
}
