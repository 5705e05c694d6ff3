import { command } from "../define-command.ts";
import { locating } from "../locate.ts";
import { printJson } from "../output.ts";
import { printTable } from "../print-table.ts";
import { relativeTime } from "../relative-time.ts";
import { requireScope, SCOPE_ARG } from "../scope-args.ts";
import { openSession } from "../session.ts";

/** `keyhole versions`. */
export const versions = command({
  description: "List the versions of a secret, newest first",
  examples: ["keyhole versions OPENAI_API_KEY --scope namespace:prod"],
  args: { name: { type: "positional", suggests: "secret", description: "the name of the secret" }, ...SCOPE_ARG },
  async run({ name, scope, profile, insecure, json }) {
    requireScope(scope);
    const { client } = await openSession({ profile, insecure });
    const { id } = await locating(client, [name], [scope], () => client.secrets.get(scope, name));
    const { versions } = await client.secrets.versions(id, { limit: 200 });
    if (json) return printJson(versions);
    const inStore = versions.some(({ store_version }) => store_version !== null);
    printTable(
      ["VERSION", "STATE", "CREATED", "BY", ...(inStore ? ["STORE VERSION"] : [])],
      versions.map(({ version, state, created_at, created_by, store_version }) => {
        return [String(version), state, relativeTime(created_at), created_by, ...(inStore ? [store_version ?? "-"] : [])];
      }),
      "No versions.",
    );
  },
});
