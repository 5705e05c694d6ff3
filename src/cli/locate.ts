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
  const elsewhere = found
    .filter(([, scopes]) => scopes.length > 0)
    .map(([name, scopes]) => `${many ? `${name} ` : "it "}exists in ${scopes.map((scope) => described(scope, searched)).join(", ")}`);
  const hint = elsewhere.length ? `${elsewhere.join("; ")}: name the scope with --scope` : nowhere(searched);
  return new CliError(`${missing.join(", ")}: not found in ${searched.join(", ")}`, hint, EXIT.notFound);
}

/** No scope that the token sees has it. One with another case might, which it does not see. */
function nowhere(searched: readonly string[]): string {
  const mixed = searched.find((scope) => scope !== scope.toLowerCase());
  const hint = "no scope that this token sees has it: `keyhole list` shows what there is";
  return mixed === undefined ? hint : `${hint}. Scopes are case-sensitive: ${mixed} is none but this one`;
}

/** What is said of a scope that has it: with another case it is another scope. */
function described(scope: string, searched: readonly string[]): string {
  const other = searched.find((one) => one !== scope && one.toLowerCase() === scope.toLowerCase());
  return other === undefined ? scope : `${scope} (not ${other}: scopes are case-sensitive)`;
}

/** The scopes that have a secret of this name, as far as the token may know. */
async function scopesWith(client: Client, name: string): Promise<string[]> {
  try {
    return (await client.secrets.list({ name: name as never, limit: 20 })).secrets.map(({ scope }) => scope);
  } catch {
    return [];
  }
}
