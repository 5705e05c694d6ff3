import type { Caller } from "../access/caller.ts";
import { rowsOf } from "../store/run-batch.ts";
import { type ScopeRow, selectScopes } from "../store/scope-rows.ts";
import { type Page, pageOf } from "../transaction/page-of.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { intersect, rangesOf } from "../transaction/text-ranges.ts";
import { verifyLink } from "../transaction/verify-link.ts";

/**
 * Lists the scopes within the caller's grant that are declared or in use, by name. The next page begins after a scope.
 *
 * @throws {Problem} `forbidden`, `storage-unavailable`.
 */
export async function listScopes(needs: CallerNeeds, caller: Caller, limit: number, after: string | undefined): Promise<Page<ScopeRow, string>> {
  caller.require("secrets:read");
  // No scope comes between a scope and the same text with "!" after it.
  const ranges = intersect(rangesOf(caller.secretScopes), { from: after === undefined ? "" : `${after}!`, to: "~" });
  const [result] = await readForCaller(needs, caller, [selectScopes(needs.db, caller.org, ranges, limit + 1)]);
  const rows = rowsOf<ScopeRow>(result);
  await Promise.all(rows.map((row) => verifyLink(needs.keyring, row)));
  return pageOf(rows, limit, ({ scope }) => scope);
}
