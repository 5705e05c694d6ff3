import { localPlace } from "./local-place.ts";
import { parseLocalScope } from "./local-scope.ts";
import { notFoundHere } from "./not-found-here.ts";
import { readLocal } from "./read-local.ts";
import { readingStore } from "./reading-store.ts";
import { searchOrder, winnersOf } from "./search-local.ts";
import { tellEmpty } from "./tell-empty.ts";

/** Which options `keyhole run` takes with `--local`. */
export const RUN_OPTIONS = ["scope", "only", "secrets", "no-secrets", "mask", "replace", "no-replace", "pass-token", "strict"];

/**
 * The variables that apply in this folder, of this machine's secrets.
 *
 * @param scopes The scopes that were named, beside those that the folder is in.
 * @param names Only these.
 * @param strict Whether a scope that holds nothing is refused, in place of a warning: a wider one would silently take its place.
 * @throws {CliError} when one of the names is nowhere, or a value cannot be had.
 */
export async function variablesHere(scopes: readonly string[], names: readonly string[] | undefined, strict: boolean): Promise<Record<string, string>> {
  const place = localPlace();
  const named = scopes.map((scope) => parseLocalScope(scope, true));
  return readingStore(place.path, async ({ secrets, parents, salt } = { format: 1, secrets: [], parents: {}, salt: "" }) => {
    const order = searchOrder({ secrets, parents }, named, process.cwd());
    tellEmpty({ secrets, parents }, named, strict);
    const missing = names?.filter((name) => !secrets.some((one) => one.name === name && order.includes(one.scope))) ?? [];
    if (missing.length > 0) throw notFoundHere(missing, order, secrets);
    const winners = winnersOf(secrets, order, names);
    const values = await readLocal(place, salt, [...winners.values()]);
    return Object.fromEntries([...winners.keys()].map((variable, n) => [variable, values[n] as string]));
  });
}
