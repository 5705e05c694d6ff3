import { command } from "../define-command.ts";
import { locating } from "../locate.ts";
import { note, printJson } from "../output.ts";
import { askToConfirm } from "../prompt.ts";
import { requireScope, SCOPE_ARG } from "../scope-args.ts";
import { openSession } from "../session.ts";

/** The option that skips the question before something is destroyed. */
export const YES_ARG = { yes: { type: "boolean", alias: "y", description: "do not ask" } } as const;

/** `keyhole delete`. */
export const remove = command({
  description: "Delete a secret with all its versions, for good",
  examples: ["keyhole delete OPENAI_API_KEY --scope namespace:prod", "keyhole delete OLD_KEY --yes"],
  args: { name: { type: "positional", description: "the name of the secret" }, ...SCOPE_ARG, ...YES_ARG },
  async run({ name, scope, profile, insecure, json, yes }) {
    requireScope(scope);
    const { client } = await openSession({ profile, insecure });
    await askToConfirm(`Delete ${name} in ${scope} with all its versions, for good?`, yes);
    await locating(client, [name], [scope], () => client.secrets.delete(scope, name));
    if (json) printJson({ deleted: { name, scope } });
    else note(`Deleted ${name} in ${scope}.`);
  },
});
