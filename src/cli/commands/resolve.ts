import type { Client } from "../../client/create-client.ts";
import type { LeftOut } from "../../contract/left-out.ts";
import type { ResolveReply } from "../../contract/resolve.ts";
import { CliError, usageError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { tellEmptyScopes } from "../empty-scopes.ts";
import { EXIT } from "../exit-code.ts";
import { locating } from "../locate.ts";
import { print, printJson } from "../output.ts";
import { SCOPES_ARG, scopesOf } from "../scope-args.ts";
import { openSession } from "../session.ts";
import { noteBase64, refuseLeftOut, warnLeftOut } from "../warn-left-out.ts";
import { withMounted } from "../with-mounted.ts";

/** `keyhole resolve`. */
export const resolve = command({
  description: "Print values: one exactly as it is, or several as a .env file or JSON",
  examples: [
    "keyhole resolve OPENAI_API_KEY --scope namespace:prod",
    "keyhole resolve --only A,B --format dotenv",
    "keyhole resolve --scope repo:acme/api --json",
    "keyhole resolve --only TLS_KEY,TLS_CERT --mount ./tls -- nginx -g 'daemon off;'",
  ],
  takesChild: true,
  args: {
    name: { type: "positional", required: false, suggests: "secret", description: "the secret to print; left out: everything that applies" },
    ...SCOPES_ARG,
    only: { type: "string", valueHint: "NAMES", repeatable: true, suggests: "secret", description: "only these names, separated by commas" },
    format: {
      type: "enum",
      options: ["raw", "dotenv", "docker", "env", "json"],
      description:
        "raw: the exact bytes of one; dotenv: a .env file; docker: lines for --env-file; env: JSON by environment name; json: with where each came from",
    },
    mount: {
      type: "string",
      valueHint: "FOLDER",
      suggests: "file",
      description: "write each to a file of its name in this new folder, for the command after --, or until Ctrl-C; then they are taken away",
    },
    strict: { type: "boolean", description: "print nothing when a scope is empty (exit code 3), or a secret is left out, expired for example (6)" },
    "allow-missing": { type: "boolean", description: "leave out what is missing, expired or not to be had now" },
  },
  async run({ name, profile, insecure, json, format, strict, mount, ...options }, { all, child }) {
    const form = mount !== undefined ? "files" : json ? "json" : (format ?? (name === undefined ? "dotenv" : "raw"));
    if (mount !== undefined && (json || format !== undefined)) throw usageError("--mount prints nothing", "leave out --format and --json");
    if (mount === undefined && child.length > 0) throw usageError("a command after -- is for --mount", "`keyhole run` gives a command variables");
    const names = [...(name === undefined ? [] : [name]), ...all("only")];
    if (form === "raw" && names.length !== 1) throw usageError("--format raw is for one secret", "name one, or use --format dotenv, env or json");
    if (form === "raw" && options["allow-missing"])
      throw usageError("--allow-missing is for several secrets", "leave it out, or use --format dotenv, env or json");
    const session = await openSession({ profile, insecure, onEmptyScopes: (scopes) => tellEmptyScopes(session, scopes, strict) });
    const { client } = session;
    const scopes = scopesOf(all("scope"));
    const request = { scopes, names: names.length > 0 ? names : undefined, allow_missing: options["allow-missing"] === true };
    if (mount === undefined) return locating(client, names, scopes ?? [], () => printAs(client, form, request, strict === true));
    const reply = await locating(client, names, scopes ?? [], () => client.resolve(request));
    (strict ? refuseLeftOut : warnLeftOut)(leftOutOf(reply), 0);
    const files = Object.entries(reply.secrets).map(([name, { value, encoding }]) => [name, Buffer.from(value, encoding)] as const);
    if (files.length === 0) throw new CliError("there is no secret to write", "`keyhole what SCOPE` shows what a scope gets", EXIT.notFound);
    return withMounted(mount, Object.fromEntries(files), child);
  },
});

async function printAs(
  client: Client,
  form: string,
  request: { scopes: string[] | undefined; names: string[] | undefined; allow_missing: boolean },
  strict: boolean,
): Promise<void> {
  if (form === "json") {
    const reply = await client.resolve(request);
    if (strict) refuseLeftOut(leftOutOf(reply), 0);
    return printJson(reply);
  }
  const warned = { onLeftOut: strict ? refuseLeftOut : warnLeftOut, onBase64: noteBase64 };
  if (form === "env") return printJson(await client.resolveEnv(request, warned));
  if (form === "dotenv") return print(await client.resolveDotenv(request, warned));
  if (form === "docker") return print(await client.resolveEnvFile(request, warned));
  const bytes = await client.resolveRaw(request.names?.[0] ?? "", { scopes: request.scopes });
  print(bytes);
  if (process.stdout.isTTY && bytes.at(-1) !== 10) print("\n");
}

/** What a JSON reply lists as left out: with that, reserved variables are there. */
function leftOutOf({ missing, expired = [], unavailable = [] }: ResolveReply): LeftOut[] {
  const named = (names: readonly string[], reason: LeftOut["reason"]) => names.map((name) => ({ name, reason }));
  return [...named(missing, "missing"), ...named(expired, "expired"), ...unavailable];
}
