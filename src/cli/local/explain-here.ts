import { EXIT, type ExitCode } from "../exit-code.ts";
import { note, printJson } from "../output.ts";
import { printTable } from "../print-table.ts";
import { placeOf } from "./keep-value.ts";
import { localPlace } from "./local-place.ts";
import { parseLocalScope, showScope } from "./local-scope.ts";
import { searchOrder } from "./search-local.ts";
import { readStore } from "./store-file.ts";

/** Which options `keyhole explain` takes with `--local`. */
export const EXPLAIN_OPTIONS = ["scope"];

/** `keyhole explain --local`. */
export function explainHere(name: string, scopes: readonly string[], json: boolean | undefined): ExitCode {
  const { secrets = [], parents = {} } = readStore(localPlace().path) ?? {};
  const order = searchOrder(
    { secrets, parents },
    scopes.map((scope) => parseLocalScope(scope, true)),
    process.cwd(),
  );
  const candidates = order.map((scope) => ({ scope, secret: secrets.find((one) => one.scope === scope && one.name === name) }));
  const winner = candidates.find(({ secret }) => secret !== undefined)?.scope;
  if (json)
    printJson({
      name,
      winner: winner === undefined ? null : { scope: showScope(winner) },
      candidates: candidates.map(({ scope, secret }) => ({ scope: showScope(scope), found: secret !== undefined, kept_in: secret ? placeOf(secret) : null })),
    });
  else {
    const rows = candidates.map(({ scope, secret }) => [showScope(scope), secret ? `in the ${placeOf(secret)}` : "-", scope === winner ? "used" : ""]);
    printTable(["SCOPE", name, ""], rows, "");
    if (winner === undefined) note(`${name} is in none of these scopes.`);
  }
  return winner === undefined ? EXIT.notFound : EXIT.ok;
}
