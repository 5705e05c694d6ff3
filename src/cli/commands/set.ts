import { KeyholeError } from "../../client/create-client.ts";
import type { Source } from "../../contract/source.ts";
import { usageError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { IF_VERSION_ARG, parseIfVersion, writeAtVersion } from "../if-version.ts";
import { SET_OPTIONS, setHere } from "../local/set-here.ts";
import { METADATA_ARGS, metadataOf } from "../metadata-args.ts";
import { note, printJson } from "../output.ts";
import { ON_THE_COMMAND_LINE, readValue, VALUE_ARGS, type ValueSource } from "../read-value.ts";
import { scopeToWrite, WRITE_SCOPE_ARG } from "../scope-args.ts";
import { openSession } from "../session.ts";

const HINT = "leave it out and type it when asked, or use --stdin, --env-var NAME, --file PATH or --keychain SERVICE:ACCOUNT";

/** `keyhole set`. */
export const set = command({
  description: "Set a secret: its value is asked for without echo, or read from where an option says",
  examples: [
    "keyhole set OPENAI_API_KEY",
    "keyhole set OPENAI_API_KEY --scope namespace:prod --stdin < key.txt",
    "keyhole set TLS_KEY --scope global --file key.pem --description 'edge certificate' --rotate-after 90",
    "keyhole set DB_PASSWORD --scope namespace:prod --store vault-prod --key prod/database --field password",
    "keyhole set OPENAI_API_KEY --scope repo:~/code/api --local",
  ],
  local: SET_OPTIONS,
  args: {
    name: { type: "positional", suggests: "secret", description: "the name of the secret" },
    ...WRITE_SCOPE_ARG,
    ...VALUE_ARGS,
    store: { type: "string", valueHint: "NAME", suggests: "store", description: "have the value come from this store, with --key" },
    key: { type: "string", valueHint: "KEY", description: "the key as the store has it" },
    field: { type: "string", valueHint: "NAME", description: "of what the store has there, the member that is the value" },
    undelete: { type: "boolean", description: "bring the earlier versions back, too, where a deleted secret had the name" },
    create: { type: "boolean", description: "only if the scope has no secret of this name" },
    "if-version": { ...IF_VERSION_ARG["if-version"], description: `${IF_VERSION_ARG["if-version"].description}; 0: only if there is none` },
    ...METADATA_ARGS,
  },
  surplus: { message: `a value is not an argument: ${ON_THE_COMMAND_LINE}`, hint: HINT },
  async run({ name, scope: wanted, profile, insecure, json, create, undelete = false, "if-version": ifVersion, ...given }, { each, local }) {
    if (name.includes("=")) throw usageError(`NAME=VALUE is not taken: ${ON_THE_COMMAND_LINE}`, HINT);
    if (local) return setHere({ name, scope: wanted ?? "global", create, json, ...given });
    const fields = metadataOf(given, each);
    const version = parseIfVersion(ifVersion, name, 0);
    if (create && version !== undefined) throw usageError("--create and --if-version exclude each other", "--create is --if-version 0");
    const scope = await scopeToWrite(wanted);
    const { client } = await openSession({ profile, insecure });
    const source = sourceOf(given);
    const value = source ?? (await readValue(given, `Value of ${name} in ${scope}`));
    const setting = writeAtVersion({ client, scope, name }, version, (conditions) => {
      const options = { undelete, ...conditions, ...(create && { ifNoneMatch: "*" }) };
      return typeof value === "string" || value instanceof Uint8Array
        ? client.secrets.set(scope, name, value, fields, options)
        : client.secrets.setSource(scope, name, value, fields, options);
    });
    const secret = await setting.catch((error: unknown) => {
      throw create && error instanceof KeyholeError && error.code === "version-conflict"
        ? new KeyholeError("secret-exists", `There is a secret ${name} in ${scope} already.`, { status: 409 })
        : error;
    });
    if (json) printJson(secret);
    else note(secret.changed ? `Set ${name} in ${scope}, version ${secret.version}.` : `${name} in ${scope} is unchanged, version ${secret.version}.`);
  },
});

/** The place in a store that the options name, if they do. */
function sourceOf({ store, key, field, ...others }: GivenSource): Source | undefined {
  if (store === undefined && key === undefined && field === undefined) return undefined;
  if (store === undefined || key === undefined)
    throw usageError("--store and --key go together", "for example --store vault-prod --key prod/database --field password");
  if (others.stdin || others["env-var"] !== undefined || others.file !== undefined || others.keychain !== undefined)
    throw usageError("there is more than one source for the value", "with --store the value stays where it is");
  return { store, key, ...(field !== undefined && { field }) };
}

type GivenSource = ValueSource & { readonly store?: string | undefined; readonly key?: string | undefined; readonly field?: string | undefined };
