import { Problem } from "../../contract/problem.ts";
import type { Caller } from "../access/caller.ts";
import { requireUnchanged } from "../store/require-unchanged.ts";
import { GuardError, runBatch } from "../store/run-batch.ts";
import { requireScopeStore } from "../store/scope-store-rows.ts";
import { insertWrites, requireFewWrites, requireNoWrites, requireWrites, updatePlan } from "../store/store-write-rows.ts";
import type { StoreVersion } from "../stores/store-driver.ts";
import type { SealingKeyring } from "../transaction/allow-sealing.ts";
import { runForCaller } from "../transaction/run-for-caller.ts";
import { sealFor } from "../transaction/verify-row.ts";
import type { Place } from "./find-place.ts";
import type { PlaceNeeds } from "./place-needs.ts";
import { settlePending } from "./settle-pending.ts";
import { type PutPlan, type StorePlan, textOfPlan } from "./store-plan.ts";

/** When scheduled work asks about what was begun: not while whoever began it is likely at it. In milliseconds. */
const FIRST_ASKED = 60_000;
/** How many writes of an organization may be under way, or not known to have ended: a run asks about a few of them. */
const MOST_BEGUN = 500;

type Sealing = PlaceNeeds & { readonly keyring: SealingKeyring };

/**
 * Puts on record what is about to be done in a scope's store, before it is: from then on nobody else changes these secrets, until
 * it has ended here, too.
 *
 * @param guards Stop it where the secrets, or what they would become, are not as they were found.
 * @throws {GuardError} `unchanged` where something was changed, or something that had been begun before has ended meanwhile, and those of `guards`.
 * @throws {Problem} `write-conflict` where something is under way, `rate-limited` where too much is, `unauthenticated`, `storage-unavailable`.
 */
export async function beginWrites(
  needs: Sealing,
  caller: Caller,
  { bound, found }: Place,
  plans: readonly StorePlan[],
  guards: readonly D1PreparedStatement[],
): Promise<void> {
  const { db, keyring, now } = needs;
  const { org, scope, store } = bound;
  const rows = await Promise.all(plans.map((plan) => rowOf({ keyring, now }, bound, plan)));
  const names = plans.map(({ name }) => name);
  const places = [requireScopeStore(db, org, scope, bound), requireUnchanged(db, "stores", org, store, found.row)];
  try {
    const begun = [requireNoWrites(db, org, scope, names), insertWrites(db, rows), requireFewWrites(db, org, MOST_BEGUN)];
    await runForCaller(needs, caller, [...places, ...guards, ...begun]);
  } catch (error) {
    if (!(error instanceof GuardError)) throw error;
    if (error.guard === "store_writes_left") throw tooMany(error);
    if (error.guard !== "store_write_pending") throw error;
    await settlePending(needs, caller, scope, names);
    throw new GuardError("unchanged");
  }
}

/**
 * Puts on record that a key which was deleted is about to come back in the store, and with which version, before it does: where the value
 * is not written then, the key is deleted again, if it still has that version.
 *
 * @throws {GuardError} `store_write_ended` where what was begun is not there any more.
 * @throws {Problem} `storage-unavailable`.
 */
export async function noteRestore({ db, keyring, now }: Sealing, { bound }: Pick<Place, "bound">, plan: PutPlan, { version }: StoreVersion): Promise<void> {
  const row = await rowOf({ keyring, now }, bound, { ...plan, restores: version });
  await runBatch(db, [requireWrites(db, [plan.operation]), updatePlan(db, row)]);
}

async function rowOf({ keyring, now }: Pick<Sealing, "keyring" | "now">, { org, scope, store }: Place["bound"], plan: StorePlan) {
  const at = now.getTime();
  const row = { org, scope, name: plan.name, operation: plan.operation, store, plan: textOfPlan(plan), at };
  return { ...row, retry_at: at + FIRST_ASKED, seal: await sealFor(keyring, "store_writes", row) };
}

function tooMany(cause: unknown): Problem {
  const detail = `The organization has ${MOST_BEGUN} writes to stores under way, or of which it is not known yet whether they have ended: no more are begun until some have. Nothing of this call has happened.`;
  return new Problem("rate-limited", detail, { cause, headers: { "Retry-After": "60" } });
}
