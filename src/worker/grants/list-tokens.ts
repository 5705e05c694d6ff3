import type { Caller } from "../access/caller.ts";
import { rowsOf } from "../store/run-batch.ts";
import { selectTokens, type TokenPosition, type TokenRow } from "../store/token-rows.ts";
import { runForCaller } from "../transaction/run-for-caller.ts";

export type { TokenRow };

/** One page of tokens, newest first. */
export interface TokenPage {
  readonly rows: readonly TokenRow[];
  readonly next: TokenPosition | null;
}

/**
 * Lists the organization's tokens whose limits are within the caller's.
 *
 * @throws {Problem} `forbidden`, `storage-unavailable`.
 */
export async function listTokens({ db }: { db: D1Database }, caller: Caller, limit: number, before: TokenPosition | undefined): Promise<TokenPage> {
  caller.require("tokens:write");
  const limits = { scopes: caller.secretScopes, names: caller.secretNames };
  const [result] = await runForCaller(db, caller, [selectTokens(db, caller.org, limits, before, limit + 1)]);
  const rows = rowsOf<TokenRow>(result);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { rows: page, next: rows.length > limit && last ? { createdAt: last.created_at, id: last.id } : null };
}
