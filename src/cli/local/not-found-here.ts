import { CliError } from "../cli-error.ts";
import { EXIT } from "../exit-code.ts";
import { type LocalScope, showScope } from "./local-scope.ts";
import type { LocalSecret } from "./store-file.ts";

/** Says which names are in none of the scopes that were searched, and where on this machine they are. */
export function notFoundHere(names: readonly string[], searched: readonly LocalScope[], secrets: readonly LocalSecret[]): CliError {
  const elsewhere = names.flatMap((name) => {
    const scopes = secrets.filter((one) => one.name === name).map(({ scope }) => showScope(scope));
    return scopes.length === 0 ? [] : [`${names.length > 1 ? `${name} ` : "it "}exists in ${scopes.join(", ")}`];
  });
  const hint = elsewhere.length > 0 ? `${elsewhere.join("; ")}: name the scope with --scope` : "`keyhole list --local` shows what there is on this machine";
  return new CliError(`${names.join(", ")}: not found in ${searched.map(showScope).join(", ")}`, hint, EXIT.notFound);
}
