import type { Source } from "../../contract/source.ts";
import { command } from "../define-command.ts";
import { locating } from "../locate.ts";
import { printJson } from "../output.ts";
import { printFields } from "../print-table.ts";
import { showTime, TIME_ARG } from "../relative-time.ts";
import { SCOPE_ARG, scopeOf } from "../scope-args.ts";
import { openSession } from "../session.ts";

/** A place in a store, for people. */
function placeOf({ store, key, field, version }: Source): string {
  return `${key}${field === undefined ? "" : `, field ${field}`}${version === undefined ? "" : `, version ${version}`} in the store ${store}`;
}

/** Whether it is an id, as `--json` and the audit log have it, and not a name. */
const isId = (text: string) => /^sec_[0-9a-f]{32}$/.test(text);

/** `keyhole get`. */
export const get = command({
  description: "Show what is known of a secret; not its value, which only `resolve`, `run` and `render` use",
  examples: ["keyhole get OPENAI_API_KEY --scope namespace:prod", "keyhole get sec_1f0c2b7a9d3e4f5a8b6c7d8e9f0a1b2c"],
  args: { name: { type: "positional", suggests: "secret", description: "the name of the secret, or its id" }, ...SCOPE_ARG, ...TIME_ARG },
  async run({ name, scope: wanted, time, profile, insecure, json }) {
    const scope = scopeOf(wanted);
    const { client } = await openSession({ profile, insecure });
    const secret = isId(name) ? await client.secrets.getById(name) : await locating(client, [name], [scope], () => client.secrets.get(scope, name));
    if (json) return printJson(secret);
    const when = showTime(time);
    const labels = Object.entries(secret.labels).map(([key, value]) => `${key}=${value}`);
    printFields([
      ["name", secret.name],
      ["scope", secret.scope],
      ["id", secret.id],
      ["version", String(secret.version)],
      ...(secret.source ? [["comes from", placeOf(secret.source)] as const] : []),
      ["description", secret.description ?? ""],
      ["labels", labels.join(" ")],
      ["created", `${when(secret.created_at)} by ${secret.created_by}`],
      ["updated", `${when(secret.updated_at)} by ${secret.updated_by}`],
      ["last used", when(secret.last_resolved_at)],
      ["expires", when(secret.expires_at)],
      ["locked", secret.locked ? "yes: it wins over every narrower scope" : "no"],
      ["variable", secret.variable ? "yes, unless its name is reserved" : "no: it never becomes one"],
      ["hosts", secret.hosts.join(" ") || "none: no service sends it anywhere"],
      ["lease", secret.max_lease_seconds === null ? "what the service allows" : `at most ${secret.max_lease_seconds} seconds`],
      ["rotation", secret.rotate_after_days === null ? "never" : `every ${secret.rotate_after_days} days${secret.rotation_due ? ", due now" : ""}`],
    ]);
  },
});
