import type { Caller } from "../access/caller.ts";
import { type LockNeeds, type Setting, unlessLocked } from "./unless-locked.ts";
import { type Creating, unlessShared } from "./unless-shared.ts";

/**
 * Runs a transaction with the guards of what names it sets: none that a scope above has locked, and no variable that would be the
 * second of an environment name in its scope.
 *
 * @throws {GuardError} `unchanged` when what a guard found is gone again.
 * @throws {Problem} `name-locked`, `env-name-conflict`, `integrity-failed`, `storage-unavailable`, and what `run` throws.
 */
export function unlessTaken<T>(
  needs: LockNeeds,
  caller: Caller,
  writes: readonly (Setting & Creating)[],
  run: (guards: readonly D1PreparedStatement[]) => Promise<T>,
): Promise<T> {
  return unlessLocked(needs, caller, writes, (locks) => unlessShared(needs, caller, writes, (names) => run([...locks, ...names])));
}
