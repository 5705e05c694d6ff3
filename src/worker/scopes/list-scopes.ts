import type { Caller } from "../access/caller.ts";
import { rowsOf } from "../store/run-batch.ts";
import { type ScopeRow, selectScopes } from "../store/scope-rows.ts";
import { type Page, pageOf } from "../transaction/page-of.ts";
import { runForCaller } from "../transaction/run-for-caller.ts";
import { intersect, rangesOf } from "../transaction/text-ranges.ts";

/**
 * Lists the scopes within the caller's grant that are declared or in use, by name. The next page begins after a scope.
 *
 * @throws {Problem} `forbidden`, `storage-unavailable`.
 */
export async function listScopes({ db }: { db: D1Database }, caller: Caller, limit: number, after: string | undefined): Promise<Page<ScopeRow, string>> {
  caller.require("secrets:read");
  // No scope comes between a scope and the same text with "!" after it.
  const ranges = intersect(rangesOf(caller.secretScopes), { from: after === undefined ? "" : `${after}!`, to: "~" });
  const [result] = await runForCaller(db, caller, [selectScopes(db, caller.org, ranges, limit + 1)]);
  return pageOf(rowsOf<ScopeRow>(result), limit, ({ scope }) => scope);
}
