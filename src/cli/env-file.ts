import { parse } from "dotenv";
import type { Client } from "../client/create-client.ts";
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
export function parseEnvFile(text: string): EnvFile {
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

/** The variables of a file, and those of them that are secrets: one resolve for each scope that is named. */
export async function readEnvFile(
  file: string,
  client: () => Promise<Client>,
): Promise<{ readonly plain: EnvFile["plain"]; readonly secrets: Record<string, string> }> {
  const { plain, references } = parseEnvFile(await readText(file, "dotenv"));
  const secrets: Record<string, string> = {};
  for (const scope of new Set(references.map(({ scope }) => scope))) Object.assign(secrets, await resolveIn(await client(), scope, references));
  return { plain, secrets };
}

async function resolveIn(client: Client, scope: string, references: readonly Reference[]): Promise<Record<string, string>> {
  const here = references.filter((one) => one.scope === scope);
  const names = [...new Set(here.map(({ name }) => name))];
  const { secrets } = await locating(client, names, [scope], () => client.resolve({ scopes: [scope], names }));
  return Object.fromEntries(here.map(({ variable, name }) => [variable, textOf(name, secrets[name])]));
}

function textOf(name: string, found: { readonly value: string; readonly encoding: string } | undefined): string {
  if (found?.encoding === "utf8") return found.value;
  throw new CliError(`${name} is bytes, which no variable can hold`, "read it with `keyhole resolve`");
}
