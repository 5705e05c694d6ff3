import type { Caller } from "../access/caller.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";

/**
 * Makes sure that a caller's token is still in force, and does nothing else.
 *
 * @throws {Problem} `unauthenticated`, `storage-unavailable`.
 */
export async function identifyCaller(needs: CallerNeeds, caller: Caller): Promise<void> {
  await readForCaller(needs, caller, []);
}
