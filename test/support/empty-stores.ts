import { reset } from "cloudflare:test-internal";
import { env } from "cloudflare:workers";

/** How often {@link reset} is tried: one that meets a call of before can leave a store as it was. */
const TRIES = 5;

/** Empties D1 and KV of what the file before has left there, its tables too. */
export async function emptyStores(): Promise<void> {
  for (let n = 0; n <= TRIES; n++) {
    const [tables, { keys }] = await Promise.all([env.DB.prepare("SELECT name FROM sqlite_schema").all(), env.KV.list()]);
    if (tables.results.length + keys.length === 0) return;
    await reset();
  }
  throw new Error("what the test file before has stored does not go away");
}
