import { command } from "../define-command.ts";
import { EXIT } from "../exit-code.ts";
import { EXPLAIN_OPTIONS, explainHere } from "../local/explain-here.ts";
import { note, printJson } from "../output.ts";
import { printTable } from "../print-table.ts";
import { SCOPES_ARG, scopesOf } from "../scope-args.ts";
import { openSession } from "../session.ts";

/** `keyhole explain`. */
export const explain = command({
  description: "Show where a name would come from, without its value",
  examples: ["keyhole explain OPENAI_API_KEY --scope repo:acme/api --scope namespace:prod", "keyhole explain OPENAI_API_KEY --local"],
  local: EXPLAIN_OPTIONS,
  args: { name: { type: "positional", suggests: "secret", description: "the name of the secret" }, ...SCOPES_ARG },
  async run({ name, profile, insecure, json }, { all, local }) {
    if (local) return explainHere(name, all("scope"), json);
    const { client } = await openSession({ profile, insecure });
    const explanation = await client.explain(name, { scopes: scopesOf(all("scope")) });
    const { winner, candidates, locked_by } = explanation;
    if (json) printJson(explanation);
    else {
      const rows = candidates.map(({ scope, found, version, expired, locked }) => [
        scope,
        found ? `version ${version}${expired ? ", expired" : ""}${locked ? ", locked" : ""}` : "-",
        found && scope === winner?.scope ? "used" : "",
      ]);
      printTable(["SCOPE", name, ""], rows, "No scopes to search.");
      if (locked_by !== undefined) note(`${name} is locked in ${locked_by}, which this token does not search: nothing else takes its place.`);
      else if (!winner) note(`${name} is in none of these scopes.`);
    }
    return winner ? EXIT.ok : EXIT.notFound;
  },
});
