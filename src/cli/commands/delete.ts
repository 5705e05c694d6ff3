import { command } from "../define-command.ts";
import { IF_VERSION_ARG, parseIfVersion, writeAtVersion } from "../if-version.ts";
import { DELETE_OPTIONS, deleteHere } from "../local/delete-here.ts";
import { locating } from "../locate.ts";
import { note, printJson } from "../output.ts";
import { askToConfirm } from "../prompt.ts";
import { SCOPE_ARG, scopeOf } from "../scope-args.ts";
import { openSession } from "../session.ts";

/** The option that skips the question before something is deleted. */
export const YES_ARG = { yes: { type: "boolean", alias: "y", description: "do not ask" } } as const;
/** The option that leaves nothing to come back. */
export const PURGE_ARG = { purge: { type: "boolean", description: "for good, and also what was deleted before" } } as const;

/** `keyhole delete`. */
export const remove = command({
  description: "Delete a secret with all its versions; `keyhole undelete` brings it back for some days, unless with --purge",
  examples: [
    "keyhole delete OPENAI_API_KEY --scope namespace:prod",
    "keyhole delete OLD_KEY --yes",
    "keyhole delete LEAKED_KEY --purge",
    "keyhole delete OLD_KEY --local",
  ],
  aliases: ["rm"],
  local: DELETE_OPTIONS,
  args: { name: { type: "positional", suggests: "secret", description: "the name of the secret" }, ...SCOPE_ARG, ...IF_VERSION_ARG, ...PURGE_ARG, ...YES_ARG },
  async run({ name, scope: wanted, profile, insecure, json, purge = false, yes, "if-version": ifVersion }, { local }) {
    if (local) return deleteHere({ name, scope: wanted ?? "global", yes, json });
    const scope = scopeOf(wanted);
    const version = parseIfVersion(ifVersion, name, 1);
    const { client } = await openSession({ profile, insecure });
    await askToConfirm(`Delete ${name} in ${scope} with all its versions${purge ? ", for good" : ""}?`, yes);
    const remove = () => writeAtVersion({ client, scope, name }, version, (conditions) => client.secrets.delete(scope, name, { purge, ...conditions }));
    const { deleted_until } = await locating(client, [name], [scope], remove);
    if (json) printJson({ deleted: { name, scope, deleted_until } });
    else if (deleted_until === undefined && !purge) note(`Deleted ${name} in ${scope}. ${notKnown(name, scope)}`);
    else note(`Deleted ${name} in ${scope}${comesBack(deleted_until ?? null, `keyhole undelete ${name} --scope ${scope}`)}`);
  },
});

/** What is said where the reply that would have said until when was lost. */
function notKnown(name: string, scope: string): string {
  return `The reply was lost: whether and until when it can come back is not known. \`keyhole list --deleted --name ${name} --scope ${scope}\` says it.`;
}

/** Until when what was deleted can come back, and how: the end of a sentence. */
export function comesBack(until: string | null, how: string, what = "It"): string {
  return until === null ? ", for good." : `. ${what} can come back until ${until}: ${how}`;
}
