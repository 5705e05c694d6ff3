import { Problem } from "../../contract/problem.ts";
import type { Scope } from "../../contract/scope.ts";
import { type KeptSource, sourceOfText, textOfSource } from "../../contract/source.ts";
import { placeOf, storeAllows } from "../../contract/store.ts";
import type { Caller } from "../access/caller.ts";
import { type ReadNeeds, readValue } from "../secrets/read-values.ts";
import { rowsOf } from "../store/run-batch.ts";
import { type ScopeStoreRow, selectScopeStore } from "../store/scope-store-rows.ts";
import type { CurrentRow } from "../store/secret-rows.ts";
import { type FoundStore, findStore } from "../stores/read-stores.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { type Verified, verifyRow } from "../transaction/verify-row.ts";

/** The store in which a scope's values are kept. */
export interface Place {
  readonly bound: Verified<ScopeStoreRow>;
  readonly found: FoundStore;
}

/** The store that a scope is in; `undefined` for a scope that is in none. */
export async function findBound({ db, keyring }: CallerNeeds, caller: Caller, scope: string): Promise<Verified<ScopeStoreRow> | undefined> {
  const [found] = await readForCaller({ db, keyring }, caller, [selectScopeStore(db, caller.org, scope)]);
  const [row] = rowsOf<ScopeStoreRow>(found);
  return row && verifyRow(keyring, "scope_stores", row);
}

/**
 * The store that a scope is in.
 *
 * @throws {Problem} `write-conflict` for a scope that is in none any more, `store-refused` where the store is not there.
 */
export async function findPlace(needs: CallerNeeds, caller: Caller, scope: string): Promise<Place> {
  const bound = await findBound(needs, caller, scope);
  if (!bound) throw new Problem("write-conflict", "The scope was taken out of its store at the same time. Nothing of this call has happened; make it again.");
  const found = await findStore(needs, caller, bound.store);
  if (!found) throw new Problem("store-refused", `The store ${bound.store}, which ${scope} is in, is not there.`);
  return { bound, found };
}

/**
 * The key of a secret in its scope's store.
 *
 * @throws {Problem} `store-refused` where the store does not let the scope have it, or has no such keys.
 */
export function keyIn({ bound, found }: Place, name: string): string {
  const key = bound.prefix + name;
  if (!storeAllows(found.definition, bound.scope as Scope, key))
    throw new Problem("store-refused", `The store ${bound.store} does not let ${bound.scope} have the key of ${name}, or has no such keys.`);
  return key;
}

/** Whether a secret has its value from its scope's store, under its own key, whichever version is current there. */
export function isThere({ bound }: Pick<Place, "bound">, name: string, source: KeptSource | undefined): boolean {
  return source?.store === bound.store && source.key === bound.prefix + name && source.field === undefined && source.version === undefined;
}

/** Where a secret has its value from; `undefined` for one whose value is kept here. */
export async function sourceIn(needs: ReadNeeds, row: CurrentRow): Promise<KeptSource | undefined> {
  if (row.encoding !== "source") return undefined;
  return sourceOfText(new TextDecoder().decode(await readValue(needs, { ...row, binding: row })));
}

/** The store's id of the version that was written there; `undefined` where none was, or the store has been another place since. */
export function writtenIn({ found }: Pick<Place, "found">, { written, place }: KeptSource): string | undefined {
  return place === placeOf(found.definition) ? written : undefined;
}

/** What a secret keeps in the place of a value that is in its scope's store. */
export function valueThere({ bound, found }: Place, name: string, written?: string) {
  const source = { store: bound.store, key: bound.prefix + name, ...(written !== undefined && { written, place: placeOf(found.definition) }) };
  return { bytes: new TextEncoder().encode(textOfSource(source)), encoding: "source" } as const;
}
