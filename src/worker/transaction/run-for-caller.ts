import type { Caller } from "../access/caller.ts";
import { unauthenticated } from "../access/verify-token.ts";
import { GuardError, runBatch } from "../store/run-batch.ts";
import { requireTokenInForce } from "../store/token-rows.ts";

/**
 * Runs statements as one transaction on behalf of a caller, unless its token has been revoked: the check is part of
 * the transaction, so it costs no round trip and nothing can come between the two.
 *
 * @throws {GuardError} when another guard statement stopped it.
 * @throws {Problem} `unauthenticated` when the token has been revoked, `storage-unavailable`.
 */
export async function runForCaller(db: D1Database, caller: Caller, statements: D1PreparedStatement[]): Promise<D1Result<never>[]> {
  const { org, tokenId } = caller;
  if (tokenId === null) return runBatch(db, statements);
  try {
    const [, ...results] = await runBatch(db, [requireTokenInForce(db, { org, tokenId }), ...statements]);
    return results;
  } catch (error) {
    if (error instanceof GuardError && error.guard === "token_in_force") throw unauthenticated("revoked", error);
    throw error;
  }
}
