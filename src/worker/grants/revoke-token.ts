import { Problem } from "../../contract/problem.ts";
import type { Caller } from "../access/caller.ts";
import { rowsOf } from "../store/run-batch.ts";
import { selectChild, selectToken } from "../store/token-rows.ts";
import { readForCaller } from "../transaction/run-for-caller.ts";
import { createRevocation, type RevokeNeeds } from "./create-revocation.ts";
import { revokeOwnToken } from "./revoke-own-token.ts";

/**
 * Revokes a token of the list and every token that descends from it, in force from the next request on; or one that is in
 * no list and has minted some that are. To revoke it again changes nothing that matters. One's own token needs no permission.
 *
 * @throws {Problem} `forbidden`, `token-not-found`, `integrity-failed`, `storage-unavailable`.
 */
export async function revokeToken(needs: RevokeNeeds, caller: Caller, id: string): Promise<void> {
  // Whoever holds a token may make an end of it.
  if (id === caller.tokenId) return revokeOwnToken(needs, caller);
  caller.require("tokens:write");
  const { db } = needs;
  const [found, child] = await readForCaller(needs, caller, [selectToken(db, caller.org, id), selectChild(db, caller.org, id)]);
  if (rowsOf(found).length === 0 && rowsOf(child).length === 0)
    throw new Problem("token-not-found", "There is no token with this id. One that is in no list is revoked by POST /v1/revocations.");
  await createRevocation(needs, caller, { token_id: id });
}
