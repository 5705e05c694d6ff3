import { keyOfName } from "../../contract/object-key.ts";
import type { Caller } from "../access/caller.ts";

/** How many keys a message names at the most. */
const MOST_NAMED = 20;

/** Keys of an object for a message, as the clients know them: in JSON's quotes, because a key may hold anything, and some of many. */
export function namedKeys(secrets: readonly { readonly name: string }[]): string {
  const some = secrets.slice(0, MOST_NAMED).map(({ name }) => JSON.stringify(keyOfName(name)));
  return [...some, ...(secrets.length > some.length ? [`${secrets.length - some.length} more`] : [])].join(", ");
}

/**
 * Keys of an object that the caller has not named, for a message: to whoever may neither read metadata nor values, only how many
 * they are. A write tells nobody what else there is.
 */
export function keysTold({ permissions }: Caller, secrets: readonly { readonly name: string }[]): string {
  if (permissions.has("secrets:read") || permissions.has("secrets:resolve")) return namedKeys(secrets);
  return secrets.length === 1 ? "one key" : `${secrets.length} keys`;
}
