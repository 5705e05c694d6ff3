import type { Caller } from "../access/caller.ts";
import { rowsOf } from "../store/run-batch.ts";
import { type ListedToken, selectTokens, type TokenPosition } from "../store/token-rows.ts";
import { type Page, pageOf } from "../transaction/page-of.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { verifyRows } from "../transaction/verify-row.ts";

export type { ListedToken };

/**
 * Lists the organization's tokens whose limits are within the caller's, newest first.
 *
 * @throws {Problem} `forbidden`, `storage-unavailable`.
 */
export async function listTokens(
  { db, keyring }: CallerNeeds,
  caller: Caller,
  limit: number,
  before: TokenPosition | undefined,
): Promise<Page<ListedToken, TokenPosition>> {
  caller.require("tokens:write");
  const [result] = await readForCaller({ db, keyring }, caller, [selectTokens(db, caller.org, caller, before, limit + 1)]);
  return pageOf(await verifyRows(keyring, "tokens", rowsOf<ListedToken>(result)), limit, ({ created_at, id }) => ({ createdAt: created_at, id }));
}
