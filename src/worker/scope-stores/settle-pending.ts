import type { Caller } from "../access/caller.ts";
import { rowsOf } from "../store/run-batch.ts";
import { type StoreWriteRow, selectWrites } from "../store/store-write-rows.ts";
import { readForCaller } from "../transaction/run-for-caller.ts";
import { verifyRows } from "../transaction/verify-row.ts";
import { writePending } from "../transaction/write-for-caller.ts";
import type { PlaceNeeds } from "./place-needs.ts";
import { settleWrite } from "./settle-write.ts";

/** What was begun so long ago, in milliseconds, is likely given up by whoever began it. */
const LIKELY_LEFT = 10_000;

/**
 * Ends what was begun of names, so that they can be written: as scheduled work would, for it is not this caller who began it.
 *
 * @throws {Problem} `write-conflict` where something is still under way, `integrity-failed`, `unauthenticated`, `storage-unavailable`.
 */
export async function settlePending(needs: PlaceNeeds, caller: Caller, scope: string, names: readonly string[]): Promise<void> {
  const [found] = await readForCaller(needs, caller, [selectWrites(needs.db, caller.org, scope, names)]);
  const rows = await verifyRows(needs.keyring, "store_writes", rowsOf<StoreWriteRow>(found));
  if (rows.some(({ at }) => needs.now.getTime() - at < LIKELY_LEFT)) throw writePending();
  for (const row of rows) if ((await settleWrite(needs, row)) === "waits") throw writePending();
}
