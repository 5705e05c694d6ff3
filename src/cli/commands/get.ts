import type { Source } from "../../contract/source.ts";
import { command } from "../define-command.ts";
import { locating } from "../locate.ts";
import { printJson } from "../output.ts";
import { printFields } from "../print-table.ts";
import { relativeTime } from "../relative-time.ts";
import { requireScope, SCOPE_ARG } from "../scope-args.ts";
import { openSession } from "../session.ts";

/** A place in a store, for people. */
function placeOf({ store, key, field, version }: Source): string {
  return `${key}${field === undefined ? "" : `, field ${field}`}${version === undefined ? "" : `, version ${version}`} in the store ${store}`;
}

/** `keyhole get`. */
export const get = command({
  description: "Show what is known of a secret; not its value, which only `resolve`, `run` and `render` use",
  examples: ["keyhole get OPENAI_API_KEY --scope namespace:prod"],
  args: { name: { type: "positional", suggests: "secret", description: "the name of the secret" }, ...SCOPE_ARG },
  async run({ name, scope, profile, insecure, json }) {
    requireScope(scope);
    const { client } = await openSession({ profile, insecure });
    const secret = await locating(client, [name], [scope], () => client.secrets.get(scope, name));
    if (json) return printJson(secret);
    const labels = Object.entries(secret.labels).map(([key, value]) => `${key}=${value}`);
    printFields([
      ["name", secret.name],
      ["scope", secret.scope],
      ["id", secret.id],
      ["version", String(secret.version)],
      ...(secret.source ? [["comes from", placeOf(secret.source)] as const] : []),
      ["description", secret.description ?? ""],
      ["labels", labels.join(" ")],
      ["created", `${relativeTime(secret.created_at)} by ${secret.created_by}`],
      ["updated", `${relativeTime(secret.updated_at)} by ${secret.updated_by}`],
      ["last used", relativeTime(secret.last_resolved_at)],
      ["expires", relativeTime(secret.expires_at)],
      ["locked", secret.locked ? "yes: it wins over every narrower scope" : "no"],
      ["variable", secret.variable ? "yes, unless its name is reserved" : "no: it never becomes one"],
      ["hosts", secret.hosts.join(" ") || "none: no service sends it anywhere"],
      ["lease", secret.max_lease_seconds === null ? "what the service allows" : `at most ${secret.max_lease_seconds} seconds`],
      ["rotation", secret.rotate_after_days === null ? "never" : `every ${secret.rotate_after_days} days${secret.rotation_due ? ", due now" : ""}`],
    ]);
  },
});
