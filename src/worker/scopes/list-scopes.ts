import type { Caller } from "../access/caller.ts";
import { rowsOf } from "../store/run-batch.ts";
import { type ScopeRow, selectScopes } from "../store/scope-rows.ts";
import { runForCaller } from "../transaction/run-for-caller.ts";
import { intersect, rangesOf } from "../transaction/text-ranges.ts";

/** One page of scopes, in the order of their names. */
export interface ScopePage {
  readonly rows: readonly ScopeRow[];
  /** The next page begins after this scope; `null` after the last one. */
  readonly next: string | null;
}

/**
 * Lists the scopes within the caller's grant that are declared or in use.
 *
 * @throws {Problem} `forbidden`, `storage-unavailable`.
 */
export async function listScopes({ db }: { db: D1Database }, caller: Caller, limit: number, after: string | undefined): Promise<ScopePage> {
  caller.require("secrets:read");
  // No scope comes between a scope and the same text with "!" after it.
  const ranges = intersect(rangesOf(caller.secretScopes), { from: after === undefined ? "" : `${after}!`, to: "~" });
  const [result] = await runForCaller(db, caller, [selectScopes(db, caller.org, ranges, limit + 1)]);
  const rows = rowsOf<ScopeRow>(result);
  const page = rows.slice(0, limit);
  return { rows: page, next: rows.length > limit ? (page.at(-1)?.scope ?? null) : null };
}
