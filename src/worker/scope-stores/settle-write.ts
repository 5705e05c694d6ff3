import { Problem } from "../../contract/problem.ts";
import type { Scope } from "../../contract/scope.ts";
import type { SecretName } from "../../contract/secret-name.ts";
import type { Caller } from "../access/caller.ts";
import { findKept, findKeptCurrent } from "../secrets/find-secret.ts";
import type { Target } from "../secrets/set-secret.ts";
import { writeSecrets } from "../secrets/write-secrets.ts";
import { GuardError, runBatch } from "../store/run-batch.ts";
import { deferWrite, endWrites, forgetWrites, type StoreWriteRow } from "../store/store-write-rows.ts";
import { StoreError } from "../stores/store-driver.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { insertOwnEvent } from "../transaction/insert-own-event.ts";
import type { Verified } from "../transaction/verify-row.ts";
import { deleteHere, restoreHere } from "./end-here.ts";
import { findPlace, isThere, sourceIn, valueThere } from "./find-place.ts";
import { type OpenPlace, openPlace, problemOf } from "./open-place.ts";
import type { PlaceNeeds } from "./place-needs.ts";
import { planOf } from "./store-plan.ts";

/** After so long nothing that a call has sent to a store is under way any more: a call asks it for 45 seconds. In milliseconds. */
const IN_FLIGHT = 120_000;
/** How often a store is asked, and after how long what was begun is given up where it does not say or D1 does not take it. */
const AGAIN = 60_000;
const GIVE_UP = 3_600_000;
/** For how long a store is asked about one write, in milliseconds. */
const WITHIN = 10_000;

/** What became of it: it has ended here, the store has never done it, nobody could find out, or it may still be under way. */
export type Settled = "ended" | "not-done" | "given-up" | "waits";

/**
 * Asks a store whether it has done what was begun there, and does the same here; what it has not done and cannot do any more is
 * forgotten. Where that cannot be found out for an hour it is given up, which is on record: the next sync of the scope shows what
 * the store has.
 *
 * @throws {Problem} `unauthenticated`, `rate-limited`, `storage-unavailable`.
 */
export async function settleWrite(needs: PlaceNeeds, caller: Caller, row: Verified<StoreWriteRow>): Promise<Settled> {
  const age = needs.now.getTime() - row.at;
  try {
    if (await hasEnded(needs, caller, row, age >= IN_FLIGHT)) return "ended";
  } catch (error) {
    // Somebody else has ended it.
    if (error instanceof GuardError && error.guard === "store_write_ended") return "ended";
    if (!(error instanceof Problem || error instanceof GuardError)) throw error;
    if (age >= GIVE_UP) return forget(needs, row, "given-up");
    await defer(needs, row);
    return "waits";
  }
  if (age >= IN_FLIGHT) return forget(needs, row, "not-done");
  await defer(needs, row);
  return "waits";
}

/** @param isOver Whether nothing of it is under way any more. */
async function hasEnded(needs: PlaceNeeds, caller: Caller, row: Verified<StoreWriteRow>, isOver: boolean): Promise<boolean> {
  const plan = planOf(row);
  const place = await openPlace(
    { ...needs, address: plan.address },
    caller,
    await findPlace(needs, caller, row.scope),
    "store.write",
    AbortSignal.timeout(WITHIN),
  );
  const { db } = needs;
  const key = place.bound.prefix + row.name;
  const ends = endWrites(db, [row.operation]);
  const target = { scope: row.scope as Scope, name: row.name as SecretName };
  if (plan.kind === "put") {
    const written = await asked(place, () => place.driver.find(key, row.operation));
    if (!written) {
      if (isOver) await deleteAgain(needs, caller, place, target);
      return false;
    }
    const write = { ...plan.write, value: valueThere(place, row.name, written.version) };
    await writeSecrets(await allowSealing(needs), caller, plan.action, [write], undefined, ends);
    return true;
  }
  const isLive = (await asked(place, () => place.driver.get(key))) !== undefined;
  if (isLive !== (plan.kind === "restore")) return false;
  const kept = await findKept(needs, caller, target);
  if (kept && (kept.deleted_at === null) === (plan.kind === "delete")) {
    if (plan.kind === "delete") await deleteHere(needs, caller, kept, ends);
    else await restoreHere(needs, caller, kept, ends);
  } else await runBatch(db, ends);
  return true;
}

/**
 * Before a deleted key was written it was brought back there: where it was not written, it is deleted again. Only while it still has the
 * version that it was deleted with: what somebody else has made of it stays.
 */
async function deleteAgain(needs: PlaceNeeds, caller: Caller, place: OpenPlace, target: Target): Promise<void> {
  const kept = await findKeptCurrent(needs, caller, target);
  const source = kept && kept.deleted_at !== null ? await sourceIn(needs, kept) : undefined;
  if (source?.written === undefined || !isThere(place, target.name, source)) return;
  const key = place.bound.prefix + target.name;
  await asked(place, async () => {
    const held = await place.driver.get(key);
    if (held?.version === source.written) await place.driver.delete(key);
  });
}

async function asked<T>(place: OpenPlace, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof StoreError ? problemOf(place, error) : error;
  }
}

async function forget({ db, now }: PlaceNeeds, row: StoreWriteRow, became: "not-done" | "given-up"): Promise<Settled> {
  const target = `${row.store} ${became}`;
  const secret = { id: null, name: row.name, scope: row.scope, version: null };
  await runBatch(db, [forgetWrites(db, [row.operation]), insertOwnEvent(db, row.org, "store.write", target, now, "failed", [secret])]);
  return became;
}

async function defer({ db, now }: PlaceNeeds, { operation }: StoreWriteRow): Promise<void> {
  await runBatch(db, [deferWrite(db, operation, now.getTime() + AGAIN)]);
}
