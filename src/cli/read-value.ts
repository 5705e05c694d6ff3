import { readFileSync } from "node:fs";
import { CliError, usageError } from "./cli-error.ts";
import type { Arguments } from "./define-command.ts";
import { readKeychain } from "./keychain.ts";
import { askHidden, canAsk } from "./prompt.ts";

/** The options that say where a value comes from. It never comes from the command line itself. */
export const VALUE_ARGS = {
  stdin: { type: "boolean", description: "read the value from standard input, less one line end at its end" },
  "env-var": { type: "string", valueHint: "NAME", description: "take the value of this environment variable" },
  file: { type: "string", valueHint: "PATH", description: "take the exact bytes of this file" },
  keychain: { type: "string", valueHint: "SERVICE:ACCOUNT", description: "take a password from the system's keychain" },
} as const satisfies Arguments;

/** Why a value on the command line is refused. */
export const ON_THE_COMMAND_LINE = "a value on the command line would stay in the shell's history and show in every process listing";

/** What was given of {@link VALUE_ARGS}. */
export interface ValueSource {
  readonly stdin?: boolean | undefined;
  readonly "env-var"?: string | undefined;
  readonly file?: string | undefined;
  readonly keychain?: string | undefined;
}

/** Reads a value from where the options say, or asks for it on the terminal. Bytes that are no UTF-8 stay bytes. */
export async function readValue(source: ValueSource, question: string): Promise<string | Uint8Array> {
  const { stdin, file, keychain } = source;
  const variable = source["env-var"];
  if ([stdin || undefined, variable, file, keychain].filter((given) => given !== undefined).length > 1)
    throw usageError("there is more than one source for the value", "give one of --stdin, --env-var, --file and --keychain");
  if (stdin) return required(withoutLineEnd(asText(await readStdin())), "standard input is empty");
  if (file !== undefined) return required(asText(readFileSync(file)), "the file is empty");
  if (variable !== undefined)
    return required(process.env[variable] ?? "", `the environment variable ${variable} is not set`, "set it for this command, or use --stdin or --file");
  if (keychain !== undefined) return fromKeychain(keychain);
  if (!canAsk())
    throw usageError("there is no terminal to ask for the value on", "give one of --stdin, --env-var NAME, --file PATH and --keychain SERVICE:ACCOUNT");
  return required(await askHidden(question), "the value is empty");
}

/** Standard input, whole. */
export async function readStdin(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function fromKeychain(text: string): Promise<string> {
  const colon = text.indexOf(":");
  const [service, account] = [text.slice(0, colon), text.slice(colon + 1)];
  if (colon < 1 || account === "") throw usageError("--keychain is not SERVICE:ACCOUNT", "for example --keychain openai:ci");
  const found = await readKeychain(service, account, false);
  if (found === undefined) throw new CliError(`the keychain has nothing for ${text}, or this machine has no keychain`, "or use --stdin, --env-var or --file");
  return found;
}

function asText(bytes: Buffer): string | Uint8Array {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return bytes;
  }
}

function withoutLineEnd(value: string | Uint8Array): string | Uint8Array {
  return typeof value === "string" ? value.replace(/\r?\n$/, "") : value;
}

function required<T extends string | Uint8Array>(value: T, message: string, hint = "a value has 1 to 65,536 bytes"): T {
  if (value.length === 0) throw new CliError(message, hint);
  return value;
}
