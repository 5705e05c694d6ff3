import type { Caller } from "../access/caller.ts";
import { unauthenticated } from "../access/verify-token.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { requireInForce, requireTokenSeal, type StandingRow, selectStanding } from "../store/revocation-rows.ts";
import { GuardError, rowsOf, runBatch } from "../store/run-batch.ts";
import { judgeStanding, type Standing, tokenMarks } from "./token-standing.ts";

/** What reading for a caller needs. */
export interface CallerNeeds {
  readonly db: D1Database;
  readonly keyring: Keyring;
}

/** What has been verified of a caller's token while its request lasts. */
const standings = new WeakMap<Caller, Standing>();

/**
 * Runs statements that only read, on behalf of a caller whose token is in force: what decides that is read by the same
 * batch, so it costs no round trip, and is verified before anything is returned.
 *
 * @throws {Problem} `unauthenticated` when the token is not in force, `integrity-failed`, `storage-unavailable`.
 */
export function readForCaller(needs: CallerNeeds, caller: Caller, statements: D1PreparedStatement[]): Promise<D1Result<never>[]> {
  return read(needs, caller, statements, null);
}

/** The same for the one who restores the deployment: others are refused until that is over. */
export function readForRestorer(needs: CallerNeeds, caller: Caller, statements: D1PreparedStatement[]): Promise<D1Result<never>[]> {
  return read(needs, caller, statements, "a restore");
}

async function read({ db, keyring }: CallerNeeds, caller: Caller, statements: D1PreparedStatement[], within: "a restore" | null): Promise<D1Result<never>[]> {
  const marks = tokenMarks(caller);
  if (marks === null) return statements.length === 0 ? [] : runBatch(db, statements);
  const [found, ...results] = await runBatch(db, [selectStanding(db, marks), ...statements]);
  standings.set(caller, await judgeStanding(keyring, marks, rowsOf<StandingRow>(found)[0], within));
  return results;
}

/**
 * What has been verified of a caller's token, and read now if nothing was before. One that came without a token has no row
 * that decides about it.
 *
 * @throws {Problem} `unauthenticated` when the token is not in force, `integrity-failed`, `storage-unavailable`.
 */
export async function standingOf(needs: CallerNeeds, caller: Caller): Promise<Standing> {
  if (!standings.has(caller)) await readForCaller(needs, caller, []);
  return standings.get(caller) ?? { tokenSeal: null, quotas: {} };
}

/**
 * Runs statements that write as one transaction, on behalf of a caller whose token is in force. What decides that has
 * been verified before, by what the verb read first or else by a read of its own; the transaction happens only if it is
 * still so.
 *
 * @throws {GuardError} when another guard statement stopped it.
 * @throws {Problem} `unauthenticated` when the token is not in force, `integrity-failed`, `storage-unavailable`.
 */
export async function runForCaller(needs: CallerNeeds, caller: Caller, statements: D1PreparedStatement[]): Promise<D1Result<never>[]> {
  const marks = tokenMarks(caller);
  if (marks === null) return runBatch(needs.db, statements);
  for (;;) {
    const { tokenSeal } = await standingOf(needs, caller);
    const guards = [requireInForce(needs.db, marks), requireTokenSeal(needs.db, marks, tokenSeal)];
    try {
      return (await runBatch(needs.db, [...guards, ...statements])).slice(guards.length);
    } catch (error) {
      if (!(error instanceof GuardError)) throw error;
      if (error.guard === "token_in_force") throw unauthenticated("revoked", error);
      if (error.guard !== "token_unchanged") throw error;
      // Its row has been sealed anew: it is read and verified once more.
      standings.delete(caller);
    }
  }
}
