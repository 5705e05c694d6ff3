import type { Caller } from "../access/caller.ts";
import { rowsOf } from "../store/run-batch.ts";
import { selectTokens, type TokenPosition, type TokenRow } from "../store/token-rows.ts";
import { type Page, pageOf } from "../transaction/page-of.ts";
import { runForCaller } from "../transaction/run-for-caller.ts";

export type { TokenRow };

/**
 * Lists the organization's tokens whose limits are within the caller's, newest first.
 *
 * @throws {Problem} `forbidden`, `storage-unavailable`.
 */
export async function listTokens(
  { db }: { db: D1Database },
  caller: Caller,
  limit: number,
  before: TokenPosition | undefined,
): Promise<Page<TokenRow, TokenPosition>> {
  caller.require("tokens:write");
  const limits = { scopes: caller.secretScopes, names: caller.secretNames };
  const [result] = await runForCaller(db, caller, [selectTokens(db, caller.org, limits, before, limit + 1)]);
  return pageOf(rowsOf<TokenRow>(result), limit, ({ created_at, id }) => ({ createdAt: created_at, id }));
}
