import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type ParseArgsConfig, parseArgs } from "node:util";
import { parse } from "dotenv";
import { executeSql } from "./execute-sql.ts";
import type { Deployment } from "./open-deployment.ts";
import type { Call, StandIn } from "./start-stand-ins.ts";

/** What wrangler deploys to. */
interface Cloud {
  readonly deployment: Deployment;
  /** The vars of wrangler.toml, as it is now. */
  readonly vars: () => Record<string, string>;
}

type Secrets = Record<string, string>;
type Parsed = { readonly values: Record<string, unknown>; readonly positionals: readonly string[] };

interface Command {
  readonly options: NonNullable<ParseArgsConfig["options"]>;
  /** How many arguments it may have. */
  readonly takes: readonly number[];
  run(parsed: Parsed, call: Call): string | Promise<string>;
}

/** An environment of wrangler.toml: there is one account, so it is only looked at. */
const ENVIRONMENT = { env: { type: "string" } } as const;

/** Stands in for wrangler: the account is the deployment of a document. It knows what the documentation uses, and nothing else. */
export function standInWrangler({ deployment, vars }: Cloud): StandIn {
  const secrets: Secrets = {};
  let deployed: Record<string, string> = {};
  const put = async (changed: Secrets) => {
    Object.assign(secrets, changed);
    // Before the first deploy a secret is only kept, for a Worker that is not there yet.
    if (deployment.isServed()) await deployment.serve({ ...deployed, ...secrets });
  };
  const commands: Record<string, Command> = {
    login: { options: {}, takes: [0], run: () => "Successfully logged in." },
    "d1 create": { options: {}, takes: [1], run: () => `database_id = "${randomUUID()}"` },
    "kv namespace create": { options: {}, takes: [1], run: () => `id = "${randomUUID().replaceAll("-", "")}"` },
    "d1 migrations apply": { options: { remote: { type: "boolean" } }, takes: [1], run: (parsed) => remoteDatabase(parsed, "serving applies them") },
    "d1 execute": {
      options: {
        remote: { type: "boolean" },
        file: { type: "string" },
        command: { type: "string" },
        yes: { type: "boolean", short: "y" },
        ...ENVIRONMENT,
        json: { type: "boolean" },
      },
      takes: [1],
      run: async (parsed, { cwd }) => {
        const { file, command } = remoteDatabase(parsed, parsed.values);
        if ((file === undefined) === (command === undefined)) throw new Error("one of --file and --command");
        const found = await executeSql(deployment.served(), file === undefined ? String(command) : readFileSync(resolve(cwd, String(file)), "utf8"));
        return parsed.values.json ? `[{"results":${found}}]` : found;
      },
    },
    deploy: {
      options: {
        minify: { type: "boolean" },
        "secrets-file": { type: "string" },
        var: { type: "string", multiple: true },
        "dry-run": { type: "boolean" },
        ...ENVIRONMENT,
      },
      takes: [0],
      run: async ({ values }, { cwd }) => {
        if (values["dry-run"]) return "--dry-run: exiting now.";
        if (values.env !== undefined) throw new Error("there is no account for an environment");
        const file = values["secrets-file"];
        if (file !== undefined) Object.assign(secrets, parseSecrets(readFileSync(resolve(cwd, String(file)), "utf8")));
        deployed = { ...vars(), ...parseVars((values.var as string[] | undefined) ?? []) };
        await deployment.serve({ ...deployed, ...secrets });
        return `Deployed keyhole to ${deployment.url}`;
      },
    },
    "secret put": { options: {}, takes: [1], run: ({ positionals: [name = ""] }, { stdin }) => put(withText(name, stdin.trimEnd())).then(() => `Put ${name}`) },
    "secret bulk": {
      options: {},
      takes: [0, 1],
      run: async ({ positionals: [file] }, { cwd, stdin }) => {
        const read = parseSecrets(file === undefined ? stdin : readFileSync(resolve(cwd, file), "utf8"));
        await put(read);
        return `Put ${Object.keys(read).join(" ")}`;
      },
    },
  };
  return async (call) => ({ stdout: `${await runCommand(commands, call)}\n` });
}

function runCommand(commands: Readonly<Record<string, Command>>, call: Call): string | Promise<string> {
  const line = call.args.join(" ");
  const [name, command] = Object.entries(commands).find(([name]) => `${line} `.startsWith(`${name} `)) ?? [];
  if (name === undefined || !command) throw new Error("the stand-in for wrangler has no such command");
  const args = call.args.slice(name.split(" ").length);
  const parsed = parseArgs({ args, options: command.options, allowPositionals: true, strict: true });
  if (!command.takes.includes(parsed.positionals.length)) throw new Error(`it has ${parsed.positionals.length} arguments`);
  return command.run(parsed, call);
}

/** Without --remote wrangler would mean a database on this machine. */
function remoteDatabase<T>({ values, positionals: [name] }: Parsed, then: T): T {
  if (name !== "DB" || values.remote !== true) throw new Error("the database is DB, and --remote");
  return then;
}

/** The secrets in a file, which wrangler takes as JSON and else as a `.env` file. */
function parseSecrets(text: string): Secrets {
  const read: Record<string, unknown> = text.trimStart().startsWith("{") ? JSON.parse(text) : parse(text);
  if (Object.keys(read).length === 0) throw new Error("there are no secrets in the file");
  return Object.assign({}, ...Object.entries(read).map(([name, value]) => withText(name, value)));
}

function withText(name: string, value: unknown): Secrets {
  if (typeof value !== "string" || value === "") throw new Error(`the secret ${name} has no text`);
  return { [name]: value };
}

function parseVars(list: readonly string[]): Record<string, string> {
  const pairs = list.map((text) => /^([A-Z_]+):(.*)$/.exec(text) ?? [text]);
  for (const [text, name] of pairs) if (name === undefined) throw new Error(`--var ${text}: not NAME:VALUE`);
  return Object.fromEntries(pairs.map(([, name, value]) => [name, value]));
}
