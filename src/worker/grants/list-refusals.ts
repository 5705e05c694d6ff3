import type { Caller } from "../access/caller.ts";
import { type RefusalRow, selectRefusals } from "../store/identity-rows.ts";
import { rowsOf } from "../store/run-batch.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { getTrust } from "./read-trusts.ts";

const LIMIT = 20;

/**
 * Why identity tokens were refused under a trust since it last changed: up to 20 reasons, the latest first.
 *
 * @throws {Problem} `forbidden`, `trust-not-found`, `integrity-failed`, `storage-unavailable`.
 */
export async function listRefusals(needs: CallerNeeds, caller: Caller, name: string): Promise<RefusalRow[]> {
  caller.require("trusts:write");
  const trust = await getTrust(needs, caller, name);
  const [found] = await readForCaller(needs, caller, [selectRefusals(needs.db, caller.org, trust.name, LIMIT)]);
  return rowsOf<RefusalRow>(found);
}
