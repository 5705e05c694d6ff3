import { Problem } from "../../contract/problem.ts";
import { type Quotas, withQuotas } from "../../contract/quota.ts";
import type { Scope } from "../../contract/scope.ts";
import type { SecretName } from "../../contract/secret-name.ts";
import type { Caller } from "../access/caller.ts";
import { findKept } from "../secrets/find-secret.ts";
import { writeSecrets } from "../secrets/write-secrets.ts";
import { type QuotaRow, selectQuotas } from "../store/quota-rows.ts";
import { GuardError, rowsOf, runBatch } from "../store/run-batch.ts";
import { deferWrite, endWrites, forgetWrites, type StoreWriteRow } from "../store/store-write-rows.ts";
import { StoreError } from "../stores/store-driver.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { insertOwnEvent } from "../transaction/insert-own-event.ts";
import { ownQuotas } from "../transaction/own-quotas.ts";
import { IntegrityProblem, type Verified } from "../transaction/verify-row.ts";
import { deleteHere, restoreHere } from "./end-here.ts";
import { findPlace, valueThere } from "./find-place.ts";
import { type OpenPlace, openPlace, problemOf } from "./open-place.ts";
import type { PlaceNeeds } from "./place-needs.ts";
import { scheduledCaller } from "./scheduled-caller.ts";
import { planOf, type StorePlan } from "./store-plan.ts";

/** After so long nothing that a call has sent to a store is under way any more: a call asks it for 45 seconds. In milliseconds. */
const IN_FLIGHT = 120_000;
/** How often a store is asked, and for how long, until what was begun is given up where it does not say or D1 does not take it. */
const AGAIN = 60_000;
const GIVE_UP = 3_600_000;
/** For how long a store is asked about one write, in milliseconds. */
const WITHIN = 10_000;

/** What settling needs: who began it has nothing to do with it. */
export type SettleNeeds = Omit<PlaceNeeds, "address">;

/** What became of it: it has ended here, the store has never done it, nobody could find out, or it may still be under way. */
export type Settled = "ended" | "not-done" | "given-up" | "waits";

/**
 * Asks a store whether it has done what was begun there, and does the same here, as the scheduled run, on record as what its caller
 * began; what it has not done and cannot do any more is forgotten. Where that cannot be found out for an hour it is given up,
 * which is on record: the next sync of the scope shows what the store has.
 *
 * @throws {Problem} `integrity-failed` where something that it needs is not what was written, `storage-unavailable`.
 */
export async function settleWrite(needs: SettleNeeds, row: Verified<StoreWriteRow>): Promise<Settled> {
  const now = needs.now.getTime();
  const isOver = now - row.at >= IN_FLIGHT;
  try {
    const quotas = await quotasOf(needs, row.org);
    if (await hasEnded({ ...needs, quotas }, scheduledCaller(row.org), row, isOver)) return "ended";
  } catch (error) {
    // Somebody else has ended it.
    if (error instanceof GuardError && error.guard === "store_write_ended") return "ended";
    if (error instanceof IntegrityProblem || !(error instanceof Problem || error instanceof GuardError)) throw error;
    if (now - (row.asked_at ?? now) >= GIVE_UP) return forget(needs, row, "given-up");
    await defer(needs, row);
    return "waits";
  }
  if (isOver) return forget(needs, row, "not-done");
  await defer(needs, row);
  return "waits";
}

/** The organization's own: with those of everybody a version too many would be destroyed, or a write given up that it may have. */
async function quotasOf({ db, keyring, quotas }: SettleNeeds, org: string): Promise<Quotas> {
  const [found] = await runBatch(db, [selectQuotas(db, org)]);
  return withQuotas(quotas, await ownQuotas(keyring, rowsOf<QuotaRow>(found)[0]));
}

/** @param isOver Whether nothing of it is under way any more. */
async function hasEnded(settling: SettleNeeds, caller: Caller, row: Verified<StoreWriteRow>, isOver: boolean): Promise<boolean> {
  const plan = planOf(row);
  const needs = { ...settling, address: plan.address };
  const place = await openPlace(needs, caller, await findPlace(needs, caller, row.scope), "store.write", AbortSignal.timeout(WITHIN));
  const { db } = needs;
  const key = place.bound.prefix + row.name;
  const ending = { statements: endWrites(db, [row.operation]), ...targetOf(plan) };
  const target = { scope: row.scope as Scope, name: row.name as SecretName };
  if (plan.kind === "put") {
    const written = await asked(place, () => place.driver.find(key, row.operation));
    if (!written) {
      if (isOver && plan.restores !== undefined) await deleteAgain(place, key, plan.restores);
      return false;
    }
    const write = { ...plan.write, value: valueThere(place, row.name, written.version) };
    await writeSecrets(await allowSealing(needs), caller, plan.action, [write], undefined, ending);
    return true;
  }
  const isLive = (await asked(place, () => place.driver.get(key))) !== undefined;
  if (isLive !== (plan.kind === "restore")) return false;
  const kept = await findKept(needs, caller, target);
  if (kept && (kept.deleted_at === null) === (plan.kind === "delete")) {
    if (plan.kind === "delete") await deleteHere(needs, caller, kept, ending);
    else await restoreHere(needs, caller, kept, ending);
  } else await runBatch(db, ending.statements);
  return true;
}

/** Which request began it: the event that it is ended with is the scheduled run's. */
function targetOf({ requestId }: StorePlan): { readonly target?: string } {
  return requestId === undefined ? {} : { target: `began ${requestId}` };
}

/**
 * Before a deleted key was written it was brought back there: where it was not written, it is deleted again. Only while it still has the
 * version that it came back with: what somebody else has made of it stays.
 */
async function deleteAgain(place: OpenPlace, key: string, restored: string): Promise<void> {
  await asked(place, async () => {
    const held = await place.driver.get(key);
    if (held?.version === restored) await place.driver.delete(key);
  });
}

async function asked<T>(place: OpenPlace, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof StoreError ? problemOf(place, error) : error;
  }
}

async function forget({ db, now }: SettleNeeds, row: StoreWriteRow, became: "not-done" | "given-up"): Promise<Settled> {
  const target = `${row.store} ${became}`;
  const secret = { id: null, name: row.name, scope: row.scope, version: null };
  await runBatch(db, [forgetWrites(db, [row.operation]), insertOwnEvent(db, row.org, "store.write", target, now, "failed", [secret])]);
  return became;
}

async function defer({ db, now }: SettleNeeds, { operation }: StoreWriteRow): Promise<void> {
  const at = now.getTime();
  await runBatch(db, [deferWrite(db, operation, { askedAt: at, retryAt: at + AGAIN })]);
}
