import { Problem } from "../../contract/problem.ts";
import type { Caller } from "../access/caller.ts";
import { coversLimits } from "../access/covers.ts";
import { rowsOf } from "../store/run-batch.ts";
import { revokeTokens, selectToken, type TokenRow } from "../store/token-rows.ts";
import { runForCaller } from "../transaction/run-for-caller.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { fromColumns } from "./grant-columns.ts";

/**
 * Revokes a token and every token that it minted, in force from the next request on. To revoke it again changes nothing.
 *
 * @throws {Problem} `forbidden`, `token-not-found`, `storage-unavailable`.
 */
export async function revokeToken({ db, now }: { db: D1Database; now: Date }, caller: Caller, id: string): Promise<void> {
  caller.require("tokens:write");
  const [found] = await runForCaller(db, caller, [selectToken(db, caller.org, id)]);
  const [row] = rowsOf<TokenRow>(found);
  if (!row) throw new Problem("token-not-found", "There is no token with this id.");
  if (!coversLimits(caller, fromColumns(row))) throw caller.refuse("tokens:write", "The token's grant does not cover that token's.");
  await writeForCaller({ db, now }, caller, [revokeTokens(db, caller.org, id, now.getTime())], { action: "token.revoke", secrets: [], target: id });
}
