import { parse } from "dotenv";
import type { Client, ResolveRequest } from "../client/create-client.ts";
import { scopeSchema } from "../contract/scope.ts";
import { secretNameSchema } from "../contract/secret-name.ts";
import { CliError, usageError } from "./cli-error.ts";
import { locating } from "./locate.ts";
import { readText } from "./read-text.ts";

/** How a value begins that stands for a secret: `keyhole://namespace:prod/API_KEY`. */
const SCHEME = "keyhole://";

/** A variable whose value is a secret's. */
interface Reference {
  readonly variable: string;
  readonly scope: string;
  readonly name: string;
}

/** What a file of variables says. */
interface EnvFile {
  /** Variables with the values that stand there. */
  readonly plain: Readonly<Record<string, string>>;
  readonly references: readonly Reference[];
}

/** Reads a `.env` file whose values may be `keyhole://SCOPE/NAME`: the scope is what is before the last slash. */
function parseEnvFile(text: string): EnvFile {
  const all = Object.entries(parse(text));
  const references = all.flatMap(([variable, value]) => (value.startsWith(SCHEME) ? parseReference(variable, value) : []));
  return { plain: Object.fromEntries(all.filter(([, value]) => !value.startsWith(SCHEME))), references };
}

function parseReference(variable: string, value: string): Reference {
  const path = value.slice(SCHEME.length);
  const slash = path.lastIndexOf("/");
  const scope = scopeSchema.safeParse(path.slice(0, Math.max(0, slash)));
  const name = secretNameSchema.safeParse(path.slice(slash + 1));
  if (scope.success && name.success) return { variable, scope: scope.data, name: name.data };
  throw usageError(`${variable} is no reference to a secret`, "keyhole://SCOPE/NAME, for example keyhole://namespace:prod/OPENAI_API_KEY");
}

/** What a file of variables gives. */
interface Filled {
  readonly plain: EnvFile["plain"];
  /** The variables that are secrets. */
  readonly secrets: Record<string, string>;
}

/** The variables of a file, and those of them that are secrets: one resolve for each scope that is named. */
export async function readEnvFile(file: string, client: () => Promise<Client>): Promise<Filled> {
  const { plain, references } = parseEnvFile(await readText(file, "dotenv"));
  const secrets: Record<string, string> = {};
  for (const request of requestsOf(references)) Object.assign(secrets, await resolveIn(await client(), request, references));
  return { plain, secrets };
}

/** What a file of variables asks the service for. */
export async function requestsOfEnvFile(file: string): Promise<ResolveRequest[]> {
  return requestsOf(parseEnvFile(await readText(file, "dotenv")).references);
}

interface ScopeRequest extends ResolveRequest {
  readonly scopes: readonly [string];
  readonly names: readonly string[];
}

function requestsOf(references: readonly Reference[]): ScopeRequest[] {
  const scopes = [...new Set(references.map(({ scope }) => scope))];
  return scopes.map((scope) => ({ scopes: [scope], names: [...new Set(references.flatMap((one) => (one.scope === scope ? one.name : [])))] }));
}

async function resolveIn(client: Client, request: ScopeRequest, references: readonly Reference[]): Promise<Record<string, string>> {
  const { secrets } = await locating(client, request.names, request.scopes, () => client.resolve(request));
  const here = references.filter(({ scope }) => request.scopes.includes(scope));
  return Object.fromEntries(here.map(({ variable, name }) => [variable, textOf(name, secrets[name])]));
}

function textOf(name: string, found: { readonly value: string; readonly encoding: string } | undefined): string {
  if (found?.encoding === "utf8") return found.value;
  throw new CliError(`${name} is bytes, which no variable can hold`, "read it with `keyhole resolve`");
}
