import { storageUnavailable } from "../../contract/problem.ts";
import { GuardError } from "../store/run-batch.ts";

const ATTEMPTS = 25;
/** The guards that say that somebody else came first. */
const RETRIED: ReadonlySet<string> = new Set(["unchanged", "revocations_unchanged", "identity_unchanged"]);

/**
 * Runs a read and a compare-and-set write again for as long as somebody else's write came between the two. Each time
 * somebody's write went through, so all writers together always make progress.
 *
 * @throws {Problem} `storage-unavailable` when others came first too often.
 */
export async function retryWhenChanged<T>(attempt: () => Promise<T>): Promise<T> {
  for (let n = 1; ; n++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof GuardError && RETRIED.has(error.guard))) throw error;
      if (n === ATTEMPTS) throw storageUnavailable("Too many writes to the same thing at once.", error);
    }
  }
}
