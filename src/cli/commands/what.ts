import { command } from "../define-command.ts";
import { tellIfEmpty } from "../empty-scopes.ts";
import { note, printJson } from "../output.ts";
import { printTable } from "../print-table.ts";
import { requireScope } from "../scope-args.ts";
import { openSession } from "../session.ts";

/** How many are explained at once. */
const AT_ONCE = 8;

/** `keyhole what`. */
export const what = command({
  description: "Show every name that a scope would get and from which scope each comes, without values",
  examples: ["keyhole what repo:acme/api", "keyhole what namespace:prod --json"],
  args: { scope: { type: "positional", suggests: "scope", description: "global, team:NAME, namespace:NAME, agent:NAME or repo:PATH" } },
  async run({ scope: text, profile, insecure, json }) {
    const scope = requireScope(text);
    const { client } = await openSession({ profile, insecure });
    // Which scopes are searched, parents and what the operator gives to all too, is the service's to say: for any name it is the same.
    const { candidates } = await client.explain("_", { scopes: [scope] });
    const names = new Set<string>();
    for (const searched of candidates.filter(({ scope }) => scope !== "builtin"))
      for await (const { name } of client.secrets.listAll({ scope: searched.scope })) names.add(name);
    const found = [];
    const left = [...names].sort();
    while (left.length > 0) found.push(...(await Promise.all(left.splice(0, AT_ONCE).map((name) => client.explain(name, { scopes: [scope] })))));
    const rows = found.map(({ name, winner, candidates, locked_by }) => {
      const used = candidates.find((one) => one.found && one.scope === winner?.scope);
      return {
        name,
        scope: winner?.scope ?? null,
        version: winner?.version ?? null,
        expired: used?.expired === true,
        locked: used?.locked === true || locked_by !== undefined,
      };
    });
    if (!rows.some((row) => row.scope === scope)) await tellIfEmpty(client, scope, false);
    if (json) return printJson({ scope, searched: candidates.map(({ scope }) => scope), secrets: rows });
    printTable(
      ["NAME", "FROM", "VERSION", ""],
      rows.map((row) => [
        row.name,
        row.scope ?? "-",
        String(row.version ?? "-"),
        [row.expired ? "expired" : "", row.locked ? "locked" : ""].filter(Boolean).join(", "),
      ]),
      `${scope} would get nothing.`,
    );
    note(`Searched: ${candidates.map(({ scope }) => scope).join(", ")}.`);
  },
});
