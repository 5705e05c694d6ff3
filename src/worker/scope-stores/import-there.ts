import type { ImportReply } from "../../contract/import.ts";
import { Problem } from "../../contract/problem.ts";
import type { SecretName } from "../../contract/secret-name.ts";
import type { Caller } from "../access/caller.ts";
import { checkAll, type Import, importReply, recordDryRun } from "../secrets/import-secrets.ts";
import { inlineCiphertexts } from "../secrets/read-values.ts";
import type { Write } from "../secrets/write-secrets.ts";
import { rowsOf } from "../store/run-batch.ts";
import { type CurrentRow, selectCurrents } from "../store/secret-rows.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import { readForCaller } from "../transaction/run-for-caller.ts";
import { verifyRows } from "../transaction/verify-row.ts";
import { findPlace } from "./find-place.ts";
import { openPlace, requireWritable, timeForStore } from "./open-place.ts";
import type { PlaceNeeds } from "./place-needs.ts";
import { type Placing, placeValues, planPlacings } from "./place-values.ts";

/** How many secrets one import into a store may hold: each is several requests to the store, and one call may make a thousand. */
const MOST = 100;

/**
 * {@link importSecrets} into a scope that is in a store. What is wrong is found before anything is written, as there; but a store takes
 * one value after the other: each that it has not taken is listed, and of the others nothing is undone. A dry run compares, and
 * writes nothing.
 *
 * @throws {Problem} also `store-unavailable`, `store-refused`.
 */
export async function importThere(needs: PlaceNeeds, caller: Caller, given: Import): Promise<ImportReply> {
  const { scope, dryRun } = given;
  caller.require("secrets:write", scope);
  const { values, skipped } = checkAll(needs, given);
  if (values.size > MOST) throw new Problem("too-many-secrets", `An import into a store holds at most ${MOST} secrets.`);
  caller.require("secrets:write", scope, [...values.keys()]);
  const over = timeForStore();
  return retryWhenChanged(async () => {
    const found = await findPlace(needs, caller, scope);
    requireWritable(found);
    const placings = await findPlacings(needs, caller, given, values);
    const place = await openPlace(needs, caller, found, dryRun ? "store.read" : "store.write", over);
    if (dryRun) {
      const writes = (await planPlacings(await allowSealing(needs), caller, place, placings)).map(({ write }) => write);
      await recordDryRun(needs, caller, scope, writes, true);
      return importReply(writes, skipped);
    }
    const placed = await placeValues(needs, caller, place, () => "secret.import", placings);
    const failed = placings.flatMap(({ name }, n) => {
      const one = placed[n];
      return one instanceof Problem ? [{ name, code: one.code, detail: one.message }] : [];
    });
    const writes = placed.filter((one) => !(one instanceof Problem)) as Write[];
    return { ...importReply(writes, skipped), ...(failed.length > 0 && { failed }) };
  });
}

async function findPlacings(needs: PlaceNeeds, caller: Caller, { scope, undelete }: Import, values: ReturnType<typeof checkAll>["values"]): Promise<Placing[]> {
  const names: SecretName[] = [...values.keys()];
  const [found] = await readForCaller(needs, caller, [selectCurrents(needs.db, caller.org, scope, names)]);
  const rows = await inlineCiphertexts(needs.kv, await verifyRows(needs.keyring, "secrets", rowsOf<CurrentRow>(found)));
  return [...values].map(([name, value]) => ({ name, kept: rows.find((row) => row.name === name), change: { value }, undelete }));
}
