import { Problem } from "../../contract/problem.ts";
import type { Caller } from "../access/caller.ts";
import { rowsOf } from "../store/run-batch.ts";
import { selectTrust, selectTrusts, type TrustRow } from "../store/trust-rows.ts";
import { runForCaller } from "./run-for-caller.ts";

/**
 * One trust.
 *
 * @throws {Problem} `forbidden`, `trust-not-found`, `storage-unavailable`.
 */
export async function getTrust({ db }: { db: D1Database }, caller: Caller, name: string): Promise<TrustRow> {
  caller.require("trusts:write");
  const [found] = await runForCaller(db, caller, [selectTrust(db, caller.org, name)]);
  const [row] = rowsOf<TrustRow>(found);
  if (!row) throw trustNotFound(name);
  return row;
}

/**
 * The organization's trusts, by name.
 *
 * @throws {Problem} `forbidden`, `storage-unavailable`.
 */
export async function listTrusts({ db }: { db: D1Database }, caller: Caller): Promise<TrustRow[]> {
  caller.require("trusts:write");
  const [found] = await runForCaller(db, caller, [selectTrusts(db, caller.org)]);
  return rowsOf<TrustRow>(found);
}

/** The answer when a trust is not there. */
export function trustNotFound(name: string): Problem {
  return new Problem("trust-not-found", `There is no trust ${name}.`);
}
