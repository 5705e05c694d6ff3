import { usageError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { IF_VERSION_ARG, parseIfVersion, writeAtVersion } from "../if-version.ts";
import { locating } from "../locate.ts";
import { METADATA_ARGS, metadataOf } from "../metadata-args.ts";
import { note, printJson } from "../output.ts";
import { SCOPE_ARG, scopeOf } from "../scope-args.ts";
import { openSession } from "../session.ts";

/** `keyhole edit`. */
export const edit = command({
  description: "Change what is known of a secret, and not its value; what is not named stays",
  examples: ["keyhole edit OPENAI_API_KEY --scope namespace:prod --description 'billing' --rotate-after 90", "keyhole edit OPENAI_API_KEY --expires never"],
  args: { name: { type: "positional", suggests: "secret", description: "the name of the secret" }, ...SCOPE_ARG, ...METADATA_ARGS, ...IF_VERSION_ARG },
  async run({ name, scope: wanted, profile, insecure, json, "if-version": ifVersion, ...given }, { each }) {
    const scope = scopeOf(wanted);
    const fields = metadataOf(given, each);
    const version = parseIfVersion(ifVersion, name, 1);
    if (Object.keys(fields).length === 0)
      throw usageError("there is nothing to change", "`keyhole edit --help` shows what can be; `keyhole set` changes the value");
    const { client } = await openSession({ profile, insecure });
    const { id } = await locating(client, [name], [scope], () => client.secrets.get(scope, name));
    const secret = await writeAtVersion({ client, scope, name }, version, (conditions) => client.secrets.patch(id, fields, conditions));
    if (json) printJson(secret);
    else note(secret.changed ? `Changed ${name} in ${scope}.` : `${name} in ${scope} is as it was.`);
  },
});
