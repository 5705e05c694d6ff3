import { keyOfName } from "../../contract/object-key.ts";

/** How many keys a message names at the most. */
const MOST_NAMED = 20;

/** Keys of an object for a message, as the clients know them: in JSON's quotes, because a key may hold anything, and some of many. */
export function namedKeys(secrets: readonly { readonly name: string }[]): string {
  const some = secrets.slice(0, MOST_NAMED).map(({ name }) => JSON.stringify(keyOfName(name)));
  return [...some, ...(secrets.length > some.length ? [`${secrets.length - some.length} more`] : [])].join(", ");
}
