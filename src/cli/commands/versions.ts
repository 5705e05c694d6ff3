import { command } from "../define-command.ts";
import { locating } from "../locate.ts";
import { note, printJson } from "../output.ts";
import { parseVersion } from "../parse-version.ts";
import { printTable } from "../print-table.ts";
import { askToConfirm } from "../prompt.ts";
import { showTime, TIME_ARG } from "../relative-time.ts";
import { SCOPE_ARG, scopeOf } from "../scope-args.ts";
import { openSession } from "../session.ts";
import { YES_ARG } from "./delete.ts";

const destroy = command({
  description: "Destroy an older version of a secret for good; the current one is refused",
  examples: ["keyhole versions destroy OPENAI_API_KEY 2 --scope namespace:prod"],
  args: {
    name: { type: "positional", suggests: "secret", description: "the name of the secret" },
    version: { type: "positional", description: "the version, from `keyhole versions NAME`" },
    ...SCOPE_ARG,
    ...YES_ARG,
  },
  async run({ name, version, scope: wanted, yes, profile, insecure, json }) {
    const scope = scopeOf(wanted);
    const number = parseVersion(version, name);
    const { client } = await openSession({ profile, insecure });
    const { id } = await locating(client, [name], [scope], () => client.secrets.get(scope, name));
    await askToConfirm(`Destroy version ${number} of ${name} in ${scope}, for good?`, yes);
    await client.secrets.destroyVersion(id, number);
    if (json) printJson({ destroyed: { name, scope, version: number } });
    else note(`Destroyed version ${number} of ${name} in ${scope}.`);
  },
});

/** `keyhole versions`. */
export const versions = command({
  description: "List the versions of a secret, newest first",
  examples: ["keyhole versions OPENAI_API_KEY --scope namespace:prod"],
  subCommands: { destroy },
  args: { name: { type: "positional", suggests: "secret", description: "the name of the secret" }, ...SCOPE_ARG, ...TIME_ARG },
  async run({ name, scope: wanted, time, profile, insecure, json }) {
    const scope = scopeOf(wanted);
    const { client } = await openSession({ profile, insecure });
    const { id } = await locating(client, [name], [scope], () => client.secrets.get(scope, name));
    const { versions, next_cursor } = await client.secrets.versions(id, { limit: 200 });
    if (json) return printJson(versions);
    const when = showTime(time);
    const inStore = versions.some(({ store_version }) => store_version !== null);
    printTable(
      ["VERSION", "STATE", "CREATED", "BY", ...(inStore ? ["STORE VERSION"] : [])],
      versions.map(({ version, state, created_at, created_by, store_version }) => {
        return [String(version), state, when(created_at), created_by, ...(inStore ? [store_version ?? "-"] : [])];
      }),
      "No versions.",
    );
    if (next_cursor !== null) note("There are more, older ones.");
  },
});
