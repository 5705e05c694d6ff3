import { Problem } from "../../contract/problem.ts";
import type { Caller } from "../access/caller.ts";
import { coversLimits } from "../access/covers.ts";
import { rowsOf } from "../store/run-batch.ts";
import { selectTrust, selectTrusts, type TrustRow } from "../store/trust-rows.ts";
import { runForCaller } from "../transaction/run-for-caller.ts";
import { trustReach } from "./trust-reach.ts";

export type { TrustRow };

/**
 * One trust, if its limits are within the caller's.
 *
 * @throws {Problem} `forbidden`, `trust-not-found`, `storage-unavailable`.
 */
export async function getTrust({ db }: { db: D1Database }, caller: Caller, name: string): Promise<TrustRow> {
  caller.require("trusts:write");
  const [found] = await runForCaller(db, caller, [selectTrust(db, caller.org, name)]);
  const [row] = rowsOf<TrustRow>(found);
  if (!row) throw new Problem("trust-not-found", "There is no trust of this name.");
  if (!coversLimits(caller, trustReach(row))) throw caller.refuse("trusts:write", "The token's grant does not cover that trust's.");
  return row;
}

/**
 * The organization's trusts whose limits are within the caller's, by name.
 *
 * @throws {Problem} `forbidden`, `storage-unavailable`.
 */
export async function listTrusts({ db }: { db: D1Database }, caller: Caller): Promise<TrustRow[]> {
  caller.require("trusts:write");
  const [found] = await runForCaller(db, caller, [selectTrusts(db, caller.org)]);
  return rowsOf<TrustRow>(found).filter((row) => coversLimits(caller, trustReach(row)));
}
