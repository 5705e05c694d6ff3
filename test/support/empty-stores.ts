import { reset } from "cloudflare:test-internal";
import { env } from "cloudflare:workers";

/** How often {@link reset} is tried: it passes over a store that is answering a call. */
const TRIES = 5;

/**
 * Empties D1 and KV of what the file before has left there, its tables too, and the counts of rate limits. A store that was not
 * used for ten seconds would be passed over as well: looking into it first wakes it.
 */
export async function emptyStores(): Promise<void> {
  for (let n = 0; n <= TRIES; n++) {
    const [tables, { keys }] = await Promise.all([env.DB.prepare("SELECT name FROM sqlite_schema").all(), env.KV.list()]);
    if (tables.results.length + keys.length === 0) return;
    await reset();
  }
  throw new Error("what the test file before has stored does not go away");
}
