import { Problem } from "../../contract/problem.ts";
import type { StoreDefinition } from "../../contract/store.ts";
import type { Caller } from "../access/caller.ts";
import { rowsOf } from "../store/run-batch.ts";
import { type StoreRow, selectStore, selectStores } from "../store/store-rows.ts";
import { type Page, pageOf } from "../transaction/page-of.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { type Verified, verifyRow, verifyRows } from "../transaction/verify-row.ts";

/** A store, read. */
export interface FoundStore {
  readonly row: Verified<StoreRow>;
  readonly definition: StoreDefinition;
}

/**
 * Shows one store to whoever may write stores.
 *
 * @throws {Problem} `forbidden`, `store-not-found`, `unauthenticated`, `integrity-failed`, `storage-unavailable`.
 */
export async function getStore(needs: CallerNeeds, caller: Caller, name: string): Promise<FoundStore> {
  caller.require("stores:write");
  const found = await findStore(needs, caller, name);
  if (!found) throw new Problem("store-not-found", "There is no store of this name.");
  return found;
}

/**
 * Lists stores, by name.
 *
 * @throws {Problem} `forbidden`, `unauthenticated`, `integrity-failed`, `storage-unavailable`.
 */
export async function listStores({ db, keyring }: CallerNeeds, caller: Caller, limit: number, after = ""): Promise<Page<FoundStore, string>> {
  caller.require("stores:write");
  const [found] = await readForCaller({ db, keyring }, caller, [selectStores(db, caller.org, after, limit + 1)]);
  const rows = await verifyRows(keyring, "stores", rowsOf<StoreRow>(found));
  return pageOf(rows.map(foundOf), limit, ({ row }) => row.name);
}

/** The organization's store of a name, if it has one. */
export async function findStore({ db, keyring }: CallerNeeds, caller: Caller, name: string): Promise<FoundStore | undefined> {
  const [found] = await readForCaller({ db, keyring }, caller, [selectStore(db, caller.org, name)]);
  const [stored] = rowsOf<StoreRow>(found);
  return stored && foundOf(await verifyRow(keyring, "stores", stored));
}

/** A store of a row. */
export function foundOf(row: Verified<StoreRow>): FoundStore {
  return { row, definition: JSON.parse(row.definition) as StoreDefinition };
}
