import { invalid, Problem } from "../../contract/problem.ts";
import { GLOBAL, type Scope } from "../../contract/scope.ts";
import { refsOf, storeAllowsPrefix } from "../../contract/store.ts";
import type { Caller } from "../access/caller.ts";
import { boundTarget, unboundTarget } from "../audit/bound-target.ts";
import { requireEveryName } from "../scopes/require-every-name.ts";
import { requireUnchanged } from "../store/require-unchanged.ts";
import { GuardError, rowsOf } from "../store/run-batch.ts";
import { type ScopeRow, selectScope } from "../store/scope-rows.ts";
import { deleteScopeStore, requireFewScopes, requirePrefix, requireScopeStore, type ScopeStoreRow, upsertScopeStore } from "../store/scope-store-rows.ts";
import { type StoreRow, selectStores } from "../store/store-rows.ts";
import { requireNoWritesOf } from "../store/store-write-rows.ts";
import { findStore, foundOf } from "../stores/read-stores.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import { readForCaller } from "../transaction/run-for-caller.ts";
import { verifyLink } from "../transaction/verify-link.ts";
import { sealFor, verifyRows } from "../transaction/verify-row.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { type QuotaNeeds, QuotaProblem, writeWithinQuota } from "../transaction/write-within-quota.ts";
import { findBound } from "./find-place.ts";

type Needs = QuotaNeeds & { readonly platformOrg: string | null };

/** How many scopes of an organization may be in stores, and how many stores are looked through for credentials. */
const MOST_BOUND = 1_000;
const MOST_STORES = 1_000;

/** A scope as it is bound. */
export type BoundScope = Omit<ScopeRow, "seal"> & Pick<ScopeStoreRow, "store" | "prefix">;

/**
 * Puts a scope into a store: what is written in it goes there from now on. What it has by now stays where it is until it is written again.
 *
 * @throws {Problem} `forbidden`, `invalid-request`, `store-in-use` where another scope has keys that begin alike, `store-refused`
 *   for a store that takes no writes, `source-cycle` for a scope that has a store's credentials, `quota-exceeded`, `rate-limited`, `write-conflict`, `integrity-failed`, `storage-unavailable`.
 */
export async function bindScope(needs: Needs, caller: Caller, scope: Scope, store: string, prefix: string): Promise<BoundScope> {
  caller.require("secrets:write", scope);
  requireEveryName(caller);
  if (scope === GLOBAL && caller.org === needs.platformOrg) throw invalid("/store", "what is built in for every organization has values of its own");
  return retryWhenChanged(async () => {
    const { db, keyring, now } = await allowSealing(needs);
    const found = await findStore(needs, caller, store);
    // Of a store that is not there the same is said: which there are is for whoever may write them.
    if (!found || !storeAllowsPrefix(found.definition, scope, prefix))
      throw invalid(
        "/store",
        `there is no store of this name that lets ${scope} have the keys that begin with this prefix: its "allow" says which scopes have which`,
      );
    if (found.definition.write !== true)
      throw new Problem(
        "store-refused",
        `The store ${store} is only read from: whoever may write the store lets scopes be in it by "write": true in its definition.`,
      );
    await requireNoCredentials(needs, caller, scope);
    const was = await findBound(needs, caller, scope);
    const row = { org: caller.org, scope, store, prefix, updated_at: now.getTime(), updated_by: caller.subject };
    const sealed = { ...row, seal: await sealFor(keyring, "scope_stores", row) };
    const guards = [
      requireScopeStore(db, caller.org, scope, was),
      requireUnchanged(db, "stores", caller.org, store, found.row),
      requireNoWritesOf(db, caller.org, scope),
      requirePrefix(db, row),
    ];
    const recorded = { action: "scope.put", secrets: [], target: boundTarget(row) } as const;
    await writeWithinQuota(needs, caller, { kept: [], made: 1 }, ({ before, after }) =>
      writeForCaller(needs, caller, [...guards, before, upsertScopeStore(db, sealed), requireFewScopes(db, caller.org, MOST_BOUND), after], recorded),
    ).catch(asRefused);
    return { ...(await shownScope(needs, caller, scope)), store, prefix };
  });
}

/**
 * Takes a scope out of its store. Its secrets have their values from there as before, and what is written is kept here.
 *
 * @throws {Problem} `forbidden`, `scope-not-found` for a scope that is in none, `rate-limited`, `write-conflict`, `integrity-failed`,
 *   `storage-unavailable`.
 */
export async function unbindScope(needs: Needs, caller: Caller, scope: Scope): Promise<Omit<ScopeRow, "seal">> {
  caller.require("secrets:write", scope);
  requireEveryName(caller);
  return retryWhenChanged(async () => {
    const { db } = needs;
    const was = await findBound(needs, caller, scope);
    if (!was) throw new Problem("scope-not-found", `The scope ${scope} is in no store.`);
    const statements = [requireScopeStore(db, caller.org, scope, was), requireNoWritesOf(db, caller.org, scope), deleteScopeStore(db, caller.org, scope)];
    const recorded = { action: "scope.delete", secrets: [], target: unboundTarget(was) } as const;
    await writeWithinQuota(needs, caller, { kept: [], made: 1 }, ({ before, after }) =>
      writeForCaller(needs, caller, [before, ...statements, after], recorded),
    );
    return shownScope(needs, caller, scope);
  });
}

/** A store's credentials are in a scope that is in no store: they would go round in circles. */
async function requireNoCredentials(needs: Needs, caller: Caller, scope: Scope): Promise<void> {
  const { db, keyring } = needs;
  const [stores] = await readForCaller(needs, caller, [selectStores(db, caller.org, "", MOST_STORES)]);
  const found = (await verifyRows(keyring, "stores", rowsOf<StoreRow>(stores))).map(foundOf);
  if (found.some(({ definition }) => refsOf(definition).some((ref) => ref.scope === scope)))
    throw new Problem("source-cycle", "The scope has a store's credentials: these are in a scope that is in no store.");
}

async function shownScope({ db, keyring }: Needs, caller: Caller, scope: Scope): Promise<Omit<ScopeRow, "seal">> {
  const [found] = await readForCaller({ db, keyring }, caller, [selectScope(db, caller.org, scope)]);
  const [row] = rowsOf<ScopeRow>(found);
  if (row) await verifyLink(keyring, row);
  return { org: caller.org, scope, parent: row?.parent ?? null, secrets: row?.secrets ?? 0 };
}

function asRefused(error: unknown): never {
  if (!(error instanceof GuardError)) throw error;
  if (error.guard === "scope_stores_left") throw new QuotaProblem("scopes", `At most ${MOST_BOUND} scopes of an organization are in stores.`);
  if (error.guard !== "store_in_use") throw error;
  const detail = "Another scope has keys of this store that begin with this prefix, or with the beginning of it: they would write over each other.";
  throw new Problem("store-in-use", detail, { cause: error });
}
