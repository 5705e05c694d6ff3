import type { StoreDefinition } from "../../contract/store.ts";
import type { Caller } from "../access/caller.ts";
import { requireUnchanged } from "../store/require-unchanged.ts";
import { type StoreRow, upsertStore } from "../store/store-rows.ts";
import { requireNoWritesIn } from "../store/store-write-rows.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import { sealAgain, sealFor, type Verified } from "../transaction/verify-row.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { type QuotaNeeds, writeWithinQuota } from "../transaction/write-within-quota.ts";
import { type CredentialNeeds, requireCredentials } from "./find-credentials.ts";
import { type AddressNeeds, judgeStore } from "./plan-store.ts";
import { type FoundStore, findStore, foundOf } from "./read-stores.ts";
import { requireMaker } from "./require-maker.ts";

/** What a verb that makes a store needs. */
export type PutStoreNeeds = QuotaNeeds & CredentialNeeds & AddressNeeds;

/**
 * Makes a store, or replaces one that its caller could have made.
 *
 * @throws {Problem} `forbidden`, `invalid-request`, `secret-not-found`, `secret-expired`, `name-locked`, `host-not-allowed`,
 *   `write-conflict`, `quota-exceeded`, `rate-limited`, `integrity-failed`, `storage-unavailable`.
 */
export async function putStore(
  needs: PutStoreNeeds,
  caller: Caller,
  name: string,
  definition: StoreDefinition,
): Promise<FoundStore & { readonly created: boolean }> {
  requireMaker(caller, definition);
  judgeStore(needs, definition);
  const wanted = { org: caller.org, name, definition: JSON.stringify(definition) };
  const recorded = { action: "store.put", secrets: [], target: name } as const;
  return retryWhenChanged(async () => {
    const found = await findStore(needs, caller, name);
    if (found) requireMaker(caller, found.definition);
    await requireCredentials(needs, caller, definition);
    const was = found?.row;
    const { db, keyring, now } = await allowSealing(needs);
    const guard = requireUnchanged(db, "stores", caller.org, name, was);
    if (was && was.definition === wanted.definition) {
      await writeForCaller(needs, caller, [guard], recorded);
      return { ...foundOf(was), created: false };
    }
    const by = { updated_at: now.getTime(), updated_by: caller.subject };
    const made = was ? { created_at: was.created_at, created_by: was.created_by } : { created_at: by.updated_at, created_by: by.updated_by };
    const row = { ...wanted, ...made, ...by, revision: (was?.revision ?? 0) + 1 };
    const sealed = { ...row, seal: was ? await sealAgain(keyring, "stores", was, row) : await sealFor(keyring, "stores", row) };
    await writeWithinQuota(needs, caller, { kept: was ? [] : ["stores"], made: 1 }, ({ before, after }) =>
      writeForCaller(needs, caller, [requireNoWritesIn(db, caller.org, name), guard, before, upsertStore(db, sealed), after], recorded),
    );
    return { ...foundOf(sealed as Verified<StoreRow>), created: !was };
  });
}
