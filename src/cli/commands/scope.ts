import { usageError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { deleteScopeHere, listScopesHere, putScopeHere } from "../local/place-here.ts";
import { endProgress, note, printJson, progress } from "../output.ts";
import { printTable } from "../print-table.ts";
import { askToConfirm } from "../prompt.ts";
import { requireScope } from "../scope-args.ts";
import { openSession } from "../session.ts";
import { comesBack, PURGE_ARG, YES_ARG } from "./delete.ts";

const SCOPE = { scope: { type: "positional", description: "global, team:NAME, namespace:NAME, agent:NAME or repo:PATH" } } as const;

const list = command({
  description: "List the scopes that are declared or in use",
  examples: ["keyhole scope list"],
  local: [],
  async run({ profile, insecure, json }, { local }) {
    if (local) return listScopesHere(json);
    const { client } = await openSession({ profile, insecure });
    const scopes = [];
    for await (const scope of client.scopes.listAll()) scopes.push(scope);
    if (json) return printJson(scopes);
    const rows = scopes.map(({ scope, parent, secrets }) => [scope, parent ?? "-", String(secrets)]);
    printTable(["SCOPE", "PARENT", "SECRETS"], rows, "No scopes.");
  },
});

const put = command({
  description: "Put a scope under another, which a resolve then searches too",
  examples: ["keyhole scope put repo:acme/api --parent namespace:prod", "keyhole scope put repo:~/code/api --parent namespace:prod --local"],
  local: ["parent"],
  args: { ...SCOPE, parent: { type: "string", valueHint: "SCOPE", description: "the scope to put it under" } },
  async run({ scope, parent, profile, insecure, json }, { local }) {
    if (parent === undefined) throw usageError("--parent is missing", `for example keyhole scope put ${scope} --parent namespace:prod`);
    if (local) return putScopeHere(scope, parent, json);
    const { client } = await openSession({ profile, insecure });
    const placed = await client.scopes.put(requireScope(scope), requireScope(parent));
    if (json) printJson(placed);
    else note(`${scope} is under ${parent}.`);
  },
});

const remove = command({
  description: "Remove a scope's parent; with --secrets, delete all its secrets",
  examples: ["keyhole scope delete repo:acme/api", "keyhole scope delete namespace:preview --secrets"],
  local: [],
  args: { ...SCOPE, secrets: { type: "boolean", description: "delete its secrets too" }, ...PURGE_ARG, ...YES_ARG },
  async run({ scope, secrets, purge = false, yes, profile, insecure, json }, { local }) {
    if (local) return deleteScopeHere(scope, json);
    requireScope(scope);
    const { client } = await openSession({ profile, insecure });
    if (purge && !secrets) throw usageError("--purge is of the scope's secrets", `for example keyhole scope delete ${scope} --secrets --purge`);
    let deleted = 0;
    let until: string | null = null;
    if (secrets) {
      await askToConfirm(`Delete every secret of ${scope}${purge ? ", for good" : ""}?`, yes);
      for (let remaining = 1; remaining > 0; progress(`${deleted} deleted, ${remaining} to go …`)) {
        const batch = await client.scopes.deleteSecrets(scope, { purge });
        deleted += batch.deleted;
        until ??= batch.deleted_until;
        remaining = batch.deleted > 0 ? batch.remaining : 0;
      }
      endProgress();
    } else await client.scopes.delete(scope);
    if (json) printJson({ scope, deleted, deleted_until: until });
    else if (!secrets) note(`${scope} is under no other scope.`);
    else
      note(
        `Deleted ${deleted} ${deleted === 1 ? "secret" : "secrets"} of ${scope}${deleted === 0 ? "." : comesBack(until, `keyhole undelete NAME --scope ${scope}`, deleted === 1 ? "It" : "They")}`,
      );
  },
});

/** `keyhole scope …`. */
export const scope = command({ description: "Show and arrange scopes", subCommands: { list, put, delete: remove } });
