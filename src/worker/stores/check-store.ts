import { invalid } from "../../contract/problem.ts";
import type { StoreCheck } from "../../contract/store-check.ts";
import { isStoreKey } from "../../contract/store-key.ts";
import type { Caller } from "../access/caller.ts";
import { type OpenNeeds, openStore } from "./open-store.ts";
import { getStore } from "./read-stores.ts";
import { requireMaker } from "./require-maker.ts";
import { StoreError, type StoreRefusal } from "./store-driver.ts";

/** What of a store does not work, of why it did not do what was asked. */
const FAILS: Readonly<Record<StoreRefusal, readonly [fails: NonNullable<StoreCheck["fails"]>, detail: string]>> = {
  address: ["address", "Nothing is sent to that address."],
  unreachable: ["address", "Nobody answers at the store's address, or only with errors."],
  "too-slow": ["address", "The store does not answer in time."],
  credential: ["credential", "The store, or who gives access to it, does not know who asks: the credential is wrong, has expired, or is not trusted there."],
  permission: ["permission", "The store knows who asks, and does not allow that."],
  throttled: ["store", "The store says that it is asked too often."],
  "too-large": ["store", "The store's limits do not allow that."],
  conflict: ["store", "The store is being changed by others."],
  "deleted-name": ["store", "The key was deleted, and can come back: until then it has no value."],
  name: ["store", "The store has no such keys."],
  endless: ["store", "The store lists more than can be gone through, or goes round in circles."],
  reply: ["store", "What answers there does not speak as such a store does."],
};

/**
 * Tries a store: reads a key and shows nothing of it, or lists keys where none is named. That it was tried, and with which
 * credentials, is on record before anything leaves. It is for whoever could have made the store.
 *
 * @throws {Problem} `forbidden`, `store-not-found`, `invalid-request`, and what {@link openStore} throws.
 */
export async function checkStore(needs: OpenNeeds, caller: Caller, name: string, key?: string): Promise<StoreCheck> {
  caller.require("stores:write");
  const found = await getStore(needs, caller, name);
  requireMaker(caller, found.definition);
  if (key !== undefined && !isStoreKey(found.definition.kind, key)) throw invalid("/key", "a store of this kind has no such keys");
  const tried = key === undefined ? "list" : "read";
  try {
    const store = await openStore(needs, caller, found, "store.check");
    const value = key === undefined ? await store.list("") : await store.get(key);
    const has = key === undefined ? null : value !== undefined;
    return {
      ok: true,
      tried,
      found: has,
      fails: null,
      detail: has === false ? "The store knows who asks, and has no such key." : "The store knows who asks, and allows that.",
    };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const [fails, detail] = FAILS[error.refusal];
    const hint = fails === "permission" && tried === "list" ? " It may allow a key to be read all the same: name one." : "";
    return { ok: false, tried, found: null, fails, detail: detail + hint };
  }
}
