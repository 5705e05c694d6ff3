import { Problem } from "../../contract/problem.ts";
import type { Caller } from "../access/caller.ts";
import { coversLimits } from "../access/covers.ts";
import { rowsOf } from "../store/run-batch.ts";
import { type FoundTrust, selectTrust, selectTrusts, type TrustKind } from "../store/trust-rows.ts";
import { type Page, pageOf } from "../transaction/page-of.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { type Verified, verifyRow, verifyRows } from "../transaction/verify-row.ts";
import { trustReach } from "./trust-reach.ts";

export type { FoundTrust };

/**
 * One trust of a kind, if its limits are within the caller's.
 *
 * @throws {Problem} `forbidden`, `trust-not-found` or `login-not-found`, `integrity-failed`, `storage-unavailable`.
 */
export async function getTrust(needs: CallerNeeds, caller: Caller, name: string, kind: TrustKind = "trust"): Promise<Verified<FoundTrust>> {
  caller.require("trusts:write");
  const [found] = await readForCaller(needs, caller, [selectTrust(needs.db, caller.org, name)]);
  const [stored] = rowsOf<FoundTrust>(found);
  const row = stored && (await verifyRow(needs.keyring, "trusts", stored));
  if (!row || kindOf(row) !== kind) throw new Problem(`${kind}-not-found`, `There is no ${kind} of this name.`);
  if (!coversLimits(caller, trustReach(row))) throw caller.refuse("trusts:write", "The token's grant does not cover that trust's.");
  return row;
}

/** What a trust is for. */
export function kindOf({ login }: Pick<FoundTrust, "login">): TrustKind {
  return login === null ? "trust" : "login";
}

/**
 * Lists the organization's trusts of one kind whose limits are within the caller's, by name.
 *
 * @throws {Problem} `forbidden`, `storage-unavailable`.
 */
export async function listTrusts({ db, keyring }: CallerNeeds, caller: Caller, kind: TrustKind, limit: number, after = ""): Promise<Page<FoundTrust, string>> {
  caller.require("trusts:write");
  const seen: FoundTrust[] = [];
  // A page is full although some are not the caller's to see: that there are such is in no cursor.
  for (let last: string | undefined = after; last !== undefined && seen.length <= limit; ) {
    const [found] = await readForCaller({ db, keyring }, caller, [selectTrusts(db, caller.org, kind, last, limit + 1)]);
    const rows = rowsOf<FoundTrust>(found);
    seen.push(...(await verifyRows(keyring, "trusts", rows)).filter((row) => coversLimits(caller, trustReach(row))));
    last = rows.length > limit ? rows.at(-1)?.name : undefined;
  }
  return pageOf(seen, limit, ({ name }) => name);
}
