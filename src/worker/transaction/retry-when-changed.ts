import { Problem } from "../../contract/problem.ts";
import { GuardError } from "../store/run-batch.ts";

const ATTEMPTS = 20;
/** How long the pause after the first attempt may be, in milliseconds; after each further one twice as long, up to {@link LONGEST}. */
const FIRST = 25;
const LONGEST = 1_000;
/** The guards that say that somebody else came first. */
const RETRIED: ReadonlySet<string> = new Set(["unchanged", "revocations_unchanged", "identity_unchanged"]);

/**
 * Runs a read and a compare-and-set write again for as long as somebody else's write came between the two. Before each
 * further attempt it waits, for a time that is drawn at random and longer from one to the next: many writers who came
 * together go apart, and one after the other gets through.
 *
 * @throws {Problem} `write-conflict` when others came first each time: nothing has happened, and the call may be made again.
 */
export async function retryWhenChanged<T>(attempt: () => Promise<T>): Promise<T> {
  for (let n = 1; ; n++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof GuardError && RETRIED.has(error.guard))) throw error;
      if (n === ATTEMPTS)
        throw new Problem("write-conflict", "Others kept writing the same thing at the same time. Nothing of this call has happened; make it again.", {
          cause: error,
        });
      await pause(n);
    }
  }
}

/** Waits after attempt number `n`: any time up to the longest that it may be. */
function pause(n: number): Promise<void> {
  const most = Math.min(FIRST * 2 ** (n - 1), LONGEST);
  return new Promise((resolve) => setTimeout(resolve, Math.random() * most));
}
