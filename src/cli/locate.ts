import { type Client, KeyholeError } from "../client/create-client.ts";
import { CliError } from "./cli-error.ts";
import { EXIT } from "./exit-code.ts";

/** How many of the missing names are looked for elsewhere. */
const MOST = 5;

/** Does something with secrets; where one is not found, the error says what was searched and where it does exist. */
export async function locating<T>(client: Client, names: readonly string[], searched: readonly string[], act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof KeyholeError) || error.code !== "secret-not-found") throw error;
    throw await notFound(client, error.members.missing ?? names, error.members.searched ?? searched);
  }
}

async function notFound(client: Client, missing: readonly string[], searched: readonly string[]): Promise<CliError> {
  const found = await Promise.all(missing.slice(0, MOST).map(async (name) => [name, await scopesWith(client, name)] as const));
  const many = missing.length > 1;
  const elsewhere = found.filter(([, scopes]) => scopes.length > 0).map(([name, scopes]) => `${many ? `${name} ` : "it "}exists in ${scopes.join(", ")}`);
  const hint = elsewhere.length
    ? `${elsewhere.join("; ")}: name the scope with --scope`
    : "no scope that this token sees has it: `keyhole list` shows what there is";
  return new CliError(`${missing.join(", ")}: not found in ${searched.join(", ")}`, hint, EXIT.notFound);
}

/** The scopes that have a secret of this name, as far as the token may know. */
async function scopesWith(client: Client, name: string): Promise<string[]> {
  try {
    return (await client.secrets.list({ name: name as never, limit: 20 })).secrets.map(({ scope }) => scope);
  } catch {
    return [];
  }
}
