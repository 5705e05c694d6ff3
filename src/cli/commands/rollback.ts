import { command } from "../define-command.ts";
import { IF_VERSION_ARG, parseIfVersion, writeAtVersion } from "../if-version.ts";
import { locating } from "../locate.ts";
import { note, printJson } from "../output.ts";
import { parseVersion } from "../parse-version.ts";
import { SCOPE_ARG, scopeOf } from "../scope-args.ts";
import { openSession } from "../session.ts";

/** `keyhole rollback`. */
export const rollback = command({
  description: "Make an older value current again, as a new version and without anyone reading it",
  examples: ["keyhole rollback OPENAI_API_KEY 2 --scope namespace:prod"],
  args: {
    name: { type: "positional", suggests: "secret", description: "the name of the secret" },
    version: { type: "positional", description: "the version whose value to use, from `keyhole versions NAME`" },
    ...SCOPE_ARG,
    ...IF_VERSION_ARG,
  },
  async run({ name, version, scope: wanted, profile, insecure, json, "if-version": ifVersion }) {
    const scope = scopeOf(wanted);
    const number = parseVersion(version, name);
    const current = parseIfVersion(ifVersion, name, 1);
    const { client } = await openSession({ profile, insecure });
    const { id } = await locating(client, [name], [scope], () => client.secrets.get(scope, name));
    const secret = await writeAtVersion({ client, scope, name }, current, (conditions) => client.secrets.rollback(id, number, conditions));
    if (json) printJson(secret);
    else note(`${name} in ${scope} has the value of version ${version} again, as version ${secret.version}.`);
  },
});
