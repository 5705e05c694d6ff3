import { CliError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { EXIT } from "../exit-code.ts";
import { note, printJson } from "../output.ts";
import { SCOPE_ARG, scopeOf } from "../scope-args.ts";
import { openSession } from "../session.ts";

/** `keyhole undelete`. */
export const undelete = command({
  description: "Bring a deleted secret back, with all its versions and its metadata",
  examples: ["keyhole undelete OPENAI_API_KEY --scope namespace:prod", "keyhole list --deleted"],
  args: { name: { type: "positional", suggests: "secret", description: "the name of the secret" }, ...SCOPE_ARG },
  async run({ name, scope: text, profile, insecure, json }) {
    const scope = scopeOf(text);
    const { client } = await openSession({ profile, insecure });
    const { secrets } = await client.secrets.list({ deleted: "true", scope, name: name as never, limit: 1 });
    const [deleted] = secrets;
    if (!deleted)
      throw new CliError(
        `${name} in ${scope} is not deleted, or cannot come back any more`,
        "`keyhole list --deleted` shows what can come back",
        EXIT.notFound,
      );
    const secret = await client.secrets.undelete(deleted.id);
    if (json) printJson(secret);
    else note(`${name} in ${scope} is back, version ${secret.version}.`);
  },
});
