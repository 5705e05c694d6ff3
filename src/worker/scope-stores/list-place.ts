import { sha256 } from "../../contract/audit-digest.ts";
import { StoreError } from "../stores/store-driver.ts";
import { type OpenPlace, problemOf } from "./open-place.ts";

/** How many pages and keys of a store one call goes through. A page of Azure's has 25 keys of all that the vault has. */
const MOST_PAGES = 400;
const MOST_KEYS = 10_000;
/** How long a key is that is looked at: no kind of store has longer ones. */
const LONGEST = 512;
/** How long a cursor may be: it goes with each request, and a Vault's is the folders that are left. */
const LONGEST_CURSOR = 2 ** 18;

/** The keys of a scope's store, and whether these are all. */
interface Listed {
  readonly keys: readonly string[];
  readonly complete: boolean;
}

/**
 * Lists the keys of a scope's store, each once. What the store says beside them is none of them: what does not begin with the scope's
 * prefix, and what is longer than a key.
 *
 * @throws {Problem} `store-unavailable`, `store-refused`.
 */
export async function listPlace(place: OpenPlace): Promise<Listed> {
  const { driver, bound } = place;
  const keys = new Set<string>();
  const cursors = new Set<string>();
  try {
    let cursor: string | undefined;
    for (let page = 0; page < MOST_PAGES; page++) {
      const { keys: some, next } = await driver.list(bound.prefix, cursor);
      for (const key of some) if (key.startsWith(bound.prefix) && key.length <= LONGEST) keys.add(key);
      if (next === undefined) return { keys: [...keys], complete: true };
      if (keys.size > MOST_KEYS) break;
      // A store that goes round in circles comes to no end.
      const mark = next.length > LONGEST_CURSOR ? undefined : await sha256(next);
      if (mark === undefined || cursors.has(mark)) throw new StoreError("endless");
      cursors.add(mark);
      cursor = next;
    }
    return { keys: [...keys].slice(0, MOST_KEYS), complete: false };
  } catch (error) {
    throw error instanceof StoreError ? problemOf(place, error) : error;
  }
}
