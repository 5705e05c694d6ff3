import { KeyholeError } from "../../client/create-client.ts";
import type { Source } from "../../contract/source.ts";
import { usageError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { SET_OPTIONS, setHere } from "../local/set-here.ts";
import { note, printJson } from "../output.ts";
import { parseTime } from "../parse-duration.ts";
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
    description: { type: "string", valueHint: "TEXT", description: "what it is for" },
    label: { type: "string", valueHint: "KEY=VALUE", repeatable: true, description: "a label; may be repeated, and replaces the labels there are" },
    expires: { type: "string", valueHint: "TIME", description: "a date, a time, or a duration such as 30d; never to clear it" },
    "rotate-after": { type: "string", valueHint: "DAYS", description: "when a new value is due; never to clear it" },
    host: {
      type: "string",
      valueHint: "HOST",
      repeatable: true,
      description: "where a service may send the value; may be repeated, and replaces the hosts there are; none to clear them",
    },
    locked: { type: "boolean", description: "let it win over every narrower scope", negativeDescription: "let narrower scopes have one of their own" },
    variable: {
      type: "boolean",
      description: "let it become an environment variable",
      negativeDescription: "keep it from ever becoming one: so a reserved name can be stored, too",
    },
    "max-lease": { type: "string", valueHint: "SECONDS", description: "the longest lease of whoever resolves it, 0 to 300; none to clear it" },
  },
  surplus: { message: `a value is not an argument: ${ON_THE_COMMAND_LINE}`, hint: HINT },
  async run({ name, scope: wanted, profile, insecure, json, create, undelete = false, ...given }, { each, local }) {
    if (name.includes("=")) throw usageError(`NAME=VALUE is not taken: ${ON_THE_COMMAND_LINE}`, HINT);
    if (local) return setHere({ name, scope: wanted ?? "global", create, json, ...given });
    const fields = { ...fieldsOf(given, each("label")), ...hostsOf(each("host")) };
    const scope = await scopeToWrite(wanted);
    const { client } = await openSession({ profile, insecure });
    const options = { undelete, ...(create && { ifNoneMatch: "*" }) };
    const source = sourceOf(given);
    const setting = source
      ? client.secrets.setSource(scope, name, source, fields, options)
      : client.secrets.set(scope, name, await readValue(given, `Value of ${name} in ${scope}`), fields, options);
    const secret = await setting.catch((error: unknown) => {
      throw create && error instanceof KeyholeError && error.code === "version-conflict"
        ? new KeyholeError("secret-exists", `There is a secret ${name} in ${scope} already.`, { status: 409 })
        : error;
    });
    if (json) printJson(secret);
    else note(secret.changed ? `Set ${name} in ${scope}, version ${secret.version}.` : `${name} in ${scope} is unchanged, version ${secret.version}.`);
  },
});

interface Given {
  readonly description?: string | undefined;
  readonly expires?: string | undefined;
  readonly "rotate-after"?: string | undefined;
  readonly locked?: boolean | undefined;
  readonly variable?: boolean | undefined;
  readonly "max-lease"?: string | undefined;
}

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

function fieldsOf({ description, expires, "rotate-after": rotate, locked, variable, "max-lease": lease }: Given, labels: readonly string[]) {
  return {
    ...(description !== undefined && { description: description || null }),
    ...(labels.length > 0 && { labels: Object.fromEntries(labels.map(splitLabel)) }),
    ...(expires !== undefined && { expires_at: expires === "never" ? null : parseTime("--expires", expires) }),
    ...(rotate !== undefined && { rotate_after_days: rotate === "never" ? null : parseDays(rotate) }),
    ...(locked !== undefined && { locked }),
    ...(variable !== undefined && { variable }),
    ...(lease !== undefined && { max_lease_seconds: lease === "none" ? null : parseLease(lease) }),
  };
}

function hostsOf(hosts: readonly string[]): { hosts?: string[] } {
  if (hosts.length === 0) return {};
  return { hosts: hosts.length === 1 && hosts[0] === "none" ? [] : [...hosts] };
}

function splitLabel(text: string): [string, string] {
  const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (key === undefined || value === undefined) throw usageError("--label is not KEY=VALUE", "for example --label team=payments");
  return [key, value];
}

function parseDays(text: string): number {
  if (!/^\d{1,4}d?$/.test(text)) throw usageError("--rotate-after is not a number of days", "for example --rotate-after 90");
  return Number.parseInt(text, 10);
}

function parseLease(text: string): number {
  if (!/^\d{1,3}s?$/.test(text) || Number.parseInt(text, 10) > 300)
    throw usageError("--max-lease is not a number of seconds up to 300", "for example --max-lease 30");
  return Number.parseInt(text, 10);
}
