import { storageUnavailable } from "../../contract/problem.ts";
import { withDeadline } from "../with-deadline.ts";

/** A guard statement of a batch found what it guards against; nothing of the batch has happened. */
export class GuardError extends Error {
  override readonly name = "GuardError";
  constructor(readonly guard: string) {
    super(`a batch was stopped by its guard: ${guard}`);
  }
}

/** The guard of a restore that is under way. Whatever the batch was to do, it cannot be done now. */
const RESTORING = "no_restore";
const GUARD = /CHECK constraint failed: (\w+)/;

/** How long D1 may take, in milliseconds. */
const DEADLINE = 10_000;

/**
 * Runs statements as one transaction (D1's `batch()`): all of them happen, or none.
 *
 * @throws {GuardError} when a guard statement stopped it.
 * @throws {Problem} `storage-unavailable` when D1 fails or does not answer in time. A write may then have happened.
 */
export async function runBatch(db: D1Database, statements: D1PreparedStatement[]): Promise<D1Result<never>[]> {
  try {
    return await withDeadline(db.batch<never>(statements), DEADLINE);
  } catch (cause) {
    const [, guard] = GUARD.exec(cause instanceof Error ? cause.message : "") ?? [];
    if (guard === RESTORING) throw storageUnavailable("The deployment is being restored: until that is over, nothing is released or changed.", cause);
    if (guard) throw new GuardError(guard);
    throw storageUnavailable("The metadata store did not answer.", cause);
  }
}

/** The rows of one statement of a batch. */
export function rowsOf<T>(result: D1Result | undefined): T[] {
  return (result?.results ?? []) as T[];
}
