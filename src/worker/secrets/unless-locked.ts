import type { Scope } from "../../contract/scope.ts";
import type { Caller } from "../access/caller.ts";
import { type LockQuery, type LockRow, requireUnlocked, selectLocks } from "../store/locks.ts";
import { GuardError, rowsOf } from "../store/run-batch.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { everyAbove } from "./resolution-query.ts";
import { nameLocked } from "./selection.ts";
import { verifyFound } from "./verify-found.ts";

/** What looking for locks needs. */
export type LockNeeds = CallerNeeds & { readonly platformOrg: string | null };

/** A write, as far as it may set a name. */
export interface Setting {
  readonly sets: boolean;
  readonly row: { readonly scope: string; readonly name: string };
}

/**
 * Runs a transaction with guards that stop it where a scope above has locked a name that it sets. What is locked is only
 * read where a guard found something: then that is verified, and named.
 *
 * @throws {GuardError} `unchanged` when the lock is gone again.
 * @throws {Problem} `name-locked`, `integrity-failed`, `storage-unavailable`, and what `run` throws.
 */
export async function unlessLocked<T>(
  needs: LockNeeds,
  caller: Caller,
  writes: readonly Setting[],
  run: (guards: readonly D1PreparedStatement[]) => Promise<T>,
): Promise<T> {
  const queries = lockQueries(needs, caller, writes);
  try {
    return await run(queries.map((query) => requireUnlocked(needs.db, query)));
  } catch (error) {
    if (!(error instanceof GuardError && error.guard === "name_unlocked")) throw error;
    const locks = await findLocks(needs, caller, writes);
    if (locks.length > 0) throw nameLocked(locks);
    throw new GuardError("unchanged");
  }
}

/** A query for each scope that names are set in. */
function lockQueries({ platformOrg }: LockNeeds, { org }: Caller, writes: readonly Setting[]): LockQuery[] {
  const scopes = Map.groupBy(
    writes.filter(({ sets }) => sets),
    ({ row }) => row.scope as Scope,
  );
  return [...scopes].map(([scope, set]) => {
    return { org, scopes: everyAbove(platformOrg, org, scope), inherit: true, scope_limits: null, names: set.map(({ row }) => row.name) };
  });
}

/**
 * The locks that scopes above have on names that are set, verified.
 *
 * @throws {Problem} `integrity-failed`, `storage-unavailable`.
 */
export async function findLocks(needs: LockNeeds, caller: Caller, writes: readonly Setting[]): Promise<Extract<LockRow, { readonly name: string }>[]> {
  const statements = lockQueries(needs, caller, writes).map((query) => selectLocks(needs.db, query));
  const found = await Promise.all(
    (await readForCaller(needs, caller, statements)).map(async (result) => {
      const rows = rowsOf<LockRow>(result);
      const locks = rows.filter((row) => row.name !== null);
      const [unverified] = await verifyFound(needs.keyring, rows[0]?.links ?? "[]", locks);
      if (unverified) throw unverified.problem;
      return locks;
    }),
  );
  return found.flat();
}
