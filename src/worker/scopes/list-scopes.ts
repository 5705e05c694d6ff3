import type { Caller } from "../access/caller.ts";
import { rowsOf } from "../store/run-batch.ts";
import { type ScopeRow, selectScopes } from "../store/scope-rows.ts";
import { type ScopeStoreRow, selectScopeStores } from "../store/scope-store-rows.ts";
import { type Page, pageOf } from "../transaction/page-of.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { intersect, rangesOf } from "../transaction/text-ranges.ts";
import { verifyLink } from "../transaction/verify-link.ts";
import { verifyRows } from "../transaction/verify-row.ts";

/** A scope, and the store that its values are kept in. */
export type ListedScope = ScopeRow & Pick<Partial<ScopeStoreRow>, "store" | "prefix">;

/**
 * Lists the scopes within the caller's grant that are declared, in use, or in a store, by name. The next page begins after a scope.
 *
 * @throws {Problem} `forbidden`, `storage-unavailable`.
 */
export async function listScopes(needs: CallerNeeds, caller: Caller, limit: number, after: string | undefined): Promise<Page<ListedScope, string>> {
  caller.require("secrets:read");
  // No scope comes between a scope and the same text with "!" after it.
  const ranges = intersect(rangesOf(caller.secretScopes), { from: after === undefined ? "" : `${after}!`, to: "~" });
  const { db, keyring } = needs;
  const [found, placed] = await readForCaller(needs, caller, [
    selectScopes(db, caller.org, ranges, limit + 1),
    selectScopeStores(db, caller.org, ranges, limit + 1),
  ]);
  const rows = rowsOf<ScopeRow>(found);
  await Promise.all(rows.map((row) => verifyLink(keyring, row)));
  const stores = new Map((await verifyRows(keyring, "scope_stores", rowsOf<ScopeStoreRow>(placed))).map((row) => [row.scope, row]));
  const others = [...stores.values()].filter(({ scope }) => !rows.some((row) => row.scope === scope)).map(({ org, scope }) => ({ ...EMPTY, org, scope }));
  const all = [...rows, ...others].sort((a, b) => (a.scope < b.scope ? -1 : 1)).slice(0, limit + 1);
  return pageOf(
    all.map((row): ListedScope => ({ ...row, ...placeOf(stores.get(row.scope)) })),
    limit,
    ({ scope }) => scope,
  );
}

/** A scope that nobody has declared, and that holds no secret. */
const EMPTY = { parent: null, secrets: 0, seal: null };

function placeOf(row: ScopeStoreRow | undefined): Pick<ListedScope, "store" | "prefix"> {
  return row ? { store: row.store, prefix: row.prefix } : {};
}
