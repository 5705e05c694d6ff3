import type { Caller } from "../access/caller.ts";
import { findLocks, type LockNeeds } from "../secrets/unless-locked.ts";
import { isExpired } from "../secrets/write-secrets.ts";
import type { SecretRow } from "../store/secret-columns.ts";
import type { Verified } from "../transaction/verify-row.ts";
import { keysTold } from "./named-keys.ts";

/** Secrets of an object that no read of it shows, and why. */
export interface Hidden {
  readonly expired: readonly Verified<SecretRow>[];
  readonly locked: readonly Verified<SecretRow>[];
}

type Needs = LockNeeds & { readonly now: Date };

/**
 * Finds those of an object's secrets that no read of it shows: they have expired, or a scope above has locked their name.
 *
 * @throws {Problem} `integrity-failed`, `storage-unavailable`.
 */
export async function findHidden(needs: Needs, caller: Caller, rows: readonly Verified<SecretRow>[]): Promise<Hidden> {
  const locks = await findLocks(
    needs,
    caller,
    rows.map((row) => ({ sets: true, row })),
  );
  const names = new Set(locks.map(({ name }) => name));
  const locked = rows.filter(({ name }) => names.has(name));
  return { locked, expired: rows.filter((row) => isExpired(row, needs.now) && !names.has(row.name)) };
}

/** What people should know of what is kept because no read shows it, in sentences. */
export function hiddenWarnings(caller: Caller, { expired, locked }: Hidden): string[] {
  const how = "delete it by name, with PATCH and null, or with the object";
  return [
    ...(expired.length > 0 ? [`Kept, because what has expired is in no read: ${keysTold(caller, expired)}; ${how}.`] : []),
    ...(locked.length > 0 ? [`Kept, because what a wider scope has locked is in no read: ${keysTold(caller, locked)}; ${how}.`] : []),
  ];
}
