import type { SecretBody } from "../../client/create-client.ts";
import { command } from "../define-command.ts";
import { STRICT_ARG, tellIfEmpty } from "../empty-scopes.ts";
import { LIST_OPTIONS, listHere } from "../local/list-here.ts";
import { endProgress, printJson, progress } from "../output.ts";
import { printTable } from "../print-table.ts";
import { showTime, TIME_ARG } from "../relative-time.ts";
import { openSession } from "../session.ts";

/** `keyhole list`. */
export const list = command({
  description: "List secrets: names, scopes and dates, never values",
  examples: ["keyhole list", "keyhole list --scope namespace:prod", "keyhole list --due rotation --json", "keyhole list --deleted", "keyhole list --local"],
  aliases: ["ls"],
  local: LIST_OPTIONS,
  args: {
    scope: { type: "string", alias: "s", valueHint: "SCOPE", suggests: "scope", description: "only this scope" },
    ...STRICT_ARG,
    kind: { type: "enum", options: ["global", "team", "namespace", "agent", "repo"], description: "only scopes of this kind" },
    name: { type: "string", valueHint: "NAME", suggests: "secret", description: "only this name" },
    prefix: { type: "string", valueHint: "TEXT", description: "only names that begin with this" },
    label: { type: "string", valueHint: "KEY=VALUE", description: "only with this label" },
    state: { type: "enum", options: ["lost"], description: "only those whose value was found to be lost" },
    due: { type: "enum", options: ["rotation", "expiry"], description: "only what is due for rotation, or has expired" },
    deleted: { type: "boolean", description: "what was deleted and can come back, and nothing else" },
    ...TIME_ARG,
  },
  async run({ profile, insecure, json, scope, kind, name, prefix, label, state, due, deleted, strict, time }, { local }) {
    if (local) return listHere({ scope, kind, name, prefix, strict, json });
    const { client } = await openSession({ profile, insecure });
    const query = {
      scope,
      name,
      prefix,
      label: label?.replace("=", ":"),
      kind,
      state,
      due,
      deleted: deleted ? ("true" as const) : undefined,
    };
    const secrets: SecretBody[] = [];
    for await (const secret of client.secrets.listAll(query)) if (secrets.push(secret) % 200 === 0) progress(`${secrets.length} secrets …`);
    endProgress();
    if (secrets.length === 0 && scope !== undefined && scope !== "global") await tellIfEmpty(client, scope, strict);
    if (json) return printJson(secrets);
    printTable(
      ["NAME", "SCOPE", "VERSION", "UPDATED", "BY", "LAST USED", ""],
      secrets.map(rowWith(showTime(time))),
      deleted ? "Nothing that can come back." : "No secrets.",
    );
  },
});

/** A secret as a row, with its times in a form. */
function rowWith(when: (time: string | null) => string): (secret: SecretBody) => string[] {
  return (secret) => {
    const { expires_at, deleted_until, hosts } = secret;
    const expired = expires_at !== null && Date.parse(expires_at) <= Date.now();
    const notes = [
      deleted_until === null ? "" : `can come back until ${deleted_until}`,
      expires_at === null ? "" : `${expired ? "expired" : "expires"} ${when(expires_at)}`,
      secret.rotation_due ? "rotation due" : "",
      secret.variable ? "" : "no variable",
      hosts.length > 0 ? `for ${hosts.join(" ")}` : "",
    ];
    const times = [when(secret.updated_at), secret.updated_by, when(secret.last_resolved_at)];
    return [secret.name, secret.scope, String(secret.version), ...times, notes.filter(Boolean).join(", ")];
  };
}
