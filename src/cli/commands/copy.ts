import { KeyholeError } from "../../client/create-client.ts";
import { CliError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { EXIT } from "../exit-code.ts";
import { locating } from "../locate.ts";
import { note, printJson } from "../output.ts";
import { requireScope, SCOPE_ARG, scopeOf } from "../scope-args.ts";
import { openSession } from "../session.ts";

/** `keyhole copy`. */
export const copy = command({
  description:
    "Copy a secret to another scope, with what is known of it but for an expiry; its value is resolved for that, which is on record, and not printed",
  examples: ["keyhole copy OPENAI_API_KEY namespace:staging --scope namespace:prod"],
  args: {
    name: { type: "positional", suggests: "secret", description: "the name of the secret" },
    to: { type: "positional", suggests: "scope", description: "the scope to copy it to" },
    ...SCOPE_ARG,
    as: { type: "string", valueHint: "NAME", description: "its name there [the same]" },
    overwrite: { type: "boolean", description: "give one that is there the value as a new version" },
  },
  async run({ name, to: target, scope: wanted, as = name, overwrite, profile, insecure, json }) {
    const scope = scopeOf(wanted);
    const to = requireScope(target);
    const { client } = await openSession({ profile, insecure });
    const { description, labels, rotate_after_days, locked, variable, hosts, max_lease_seconds } = await locating(client, [name], [scope], () =>
      client.secrets.get(scope, name),
    );
    const { secrets } = await locating(client, [name], [scope], () => client.resolve({ scopes: [scope], names: [name], inherit: false }));
    const found = secrets[name];
    // A lock further up wins over what was asked for: that is another secret.
    if (found === undefined || found.scope !== scope)
      throw new CliError(`${name} in ${scope} is not what is resolved there`, "`keyhole explain NAME` shows what is in its place", EXIT.notFound);
    const value = found.encoding === "base64" ? new Uint8Array(Buffer.from(found.value, "base64")) : found.value;
    const fields = { description, labels, rotate_after_days, locked, variable, hosts, max_lease_seconds };
    const copied = await client.secrets.set(to, as, value, fields, overwrite ? {} : { ifNoneMatch: "*" }).catch((error: unknown) => {
      if (!(error instanceof KeyholeError && error.code === "version-conflict")) throw error;
      throw new CliError(`there is a secret ${as} in ${to} already`, "--overwrite gives it this value as a new version");
    });
    if (json) printJson(copied);
    else note(`Copied ${name} from ${scope} to ${as} in ${to}, version ${copied.version}.`);
  },
});
