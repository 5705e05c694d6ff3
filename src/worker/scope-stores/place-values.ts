import type { Action } from "../../contract/audit.ts";
import { Problem } from "../../contract/problem.ts";
import type { SecretName } from "../../contract/secret-name.ts";
import type { Caller } from "../access/caller.ts";
import type { ChangeOfValue } from "../secrets/change.ts";
import { findKept } from "../secrets/find-secret.ts";
import { isSame } from "../secrets/is-same.ts";
import { planSetting } from "../secrets/set-secret.ts";
import { unlessTaken } from "../secrets/unless-taken.ts";
import { planChange, type Write, writeSecrets } from "../secrets/write-secrets.ts";
import { GuardError, runBatch } from "../store/run-batch.ts";
import { requireScopeStore } from "../store/scope-store-rows.ts";
import { type CurrentRow, requireRevisions } from "../store/secret-rows.ts";
import { endWrites, forgetWrites, requireNoSecrets } from "../store/store-write-rows.ts";
import { StoreError, type StoreVersion } from "../stores/store-driver.ts";
import { allowSealing, type SealingKeyring } from "../transaction/allow-sealing.ts";
import type { Verified } from "../transaction/verify-row.ts";
import { writePending } from "../transaction/write-for-caller.ts";
import { beginWrites, noteRestore } from "./begin-writes.ts";
import { isThere, keyIn, type Place, sourceIn, valueThere } from "./find-place.ts";
import { isNotDone, noTimeLeft, notEnded, notKnown, type OpenPlace, problemOf } from "./open-place.ts";
import type { PlaceNeeds } from "./place-needs.ts";
import type { PutPlan } from "./store-plan.ts";

/** How many keys of a store one call asks for at the same time. */
const AT_ONCE = 6;

/** A value that goes into the store of its secret's scope. */
export interface Placing {
  readonly name: SecretName;
  /** The secret as it was found; `undefined` where none has the name. */
  readonly kept: Verified<CurrentRow> | undefined;
  readonly change: ChangeOfValue;
  /** Whether the earlier versions of one that was deleted come back, too. */
  readonly undelete: boolean;
}

/** What became of it, or why it is not written. */
export type Placed = Write | Problem;

type Sealing = PlaceNeeds & { readonly keyring: SealingKeyring };

/** A write that is planned. */
interface Planned {
  readonly placing: Placing;
  readonly key: string;
  readonly write: Write;
  /** A UUID, also to the store; `undefined` where the store has the value already. */
  readonly operation: string | undefined;
}

/** A write that has been begun. */
type Begun = Planned & { readonly operation: string; readonly plan: PutPlan };

/**
 * Writes values into the store of their scope, and then here what names them there. What is to be done there is on record before
 * it is; what the store has not taken is not here either; and of what is not known to have happened, scheduled work or the next
 * write of the name finds out.
 *
 * @param actionOf The action of the event here.
 * @returns In the order of `placings`.
 * @throws {GuardError} `unchanged` where somebody else came first: nothing has happened.
 * @throws {Problem} `name-locked`, `env-name-conflict`, `store-refused`, `quota-exceeded`, `rate-limited`, `write-conflict`, `unauthenticated`,
 *   `storage-unavailable`.
 */
export async function placeValues(
  needs: PlaceNeeds,
  caller: Caller,
  place: OpenPlace,
  actionOf: (write: Write) => Action,
  placings: readonly Placing[],
): Promise<Placed[]> {
  const sealing = await allowSealing(needs);
  const planned = await planPlacings(sealing, caller, place, placings);
  const held = planned.filter(({ operation }) => operation === undefined).map(({ write }) => write);
  const others = planned.filter((one): one is Planned & { operation: string } => one.operation !== undefined);
  const [first] = held;
  const { db } = needs;
  const still = { statements: [requireScopeStore(db, caller.org, place.bound.scope, place.bound)] };
  if (first) await writeSecrets(sealing, caller, actionOf(first), held, undefined, still);
  if (others.length === 0) return held;
  const begun = await begin(sealing, caller, place, actionOf, others);
  const put = await inTurns(begun, (one) => putOne(sealing, place, one));
  const refused = put.flatMap((one) => ("problem" in one && one.isKnown ? [one.operation] : []));
  if (refused.length > 0) await runBatch(db, [forgetWrites(db, refused)]);
  const written = put.flatMap((one) => ("problem" in one ? [] : [one]));
  await end(sealing, caller, place, actionOf, written);
  const placed = new Map(put.map((one) => [one.operation, "problem" in one ? one.problem : one.write]));
  return planned.map(({ operation, write }): Placed => (operation === undefined ? write : (placed.get(operation) ?? write)));
}

/** Plans writes, and compares with what the store has: what it has already is no new version. */
export function planPlacings(needs: Sealing, caller: Caller, place: OpenPlace, placings: readonly Placing[]): Promise<Planned[]> {
  for (const { name } of placings) keyIn(place, name);
  return inTurns(placings, (placing) => plan(needs, caller, place, placing));
}

async function plan(needs: Sealing, caller: Caller, place: OpenPlace, placing: Placing): Promise<Planned> {
  const { name, kept, change, undelete } = placing;
  const key = keyIn(place, name);
  const samePlace = kept?.deleted_at === null && isThere(place, name, await sourceIn(needs, kept));
  if (kept && samePlace && (await hasAlready(place, key, change.value.bytes))) {
    const { value: _, ...rest } = change;
    return { placing, key, operation: undefined, write: { ...(await planChange(needs, caller, kept, rest)), sets: true } };
  }
  const operation = crypto.randomUUID();
  // It stands for a version that the store has not made yet.
  const value = { ...valueThere(place, name, operation), samePlace };
  const target = { scope: place.bound.scope as Parameters<typeof planSetting>[2]["scope"], name };
  return { placing, key, operation, write: await planSetting(needs, caller, target, { kept, change: { ...change, value }, undelete }) };
}

/** Whether a store has a value already, as far as it lets that be read. */
async function hasAlready(place: OpenPlace, key: string, bytes: Uint8Array): Promise<boolean> {
  try {
    const held = await place.driver.get(key);
    return held !== undefined && (await isSame(held.value, bytes));
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    // Who may write there need not be allowed to read.
    if (error.refusal === "permission" || error.refusal === "reply" || error.refusal === "too-large") return false;
    throw problemOf(place, error);
  }
}

async function begin(
  needs: Sealing,
  caller: Caller,
  place: Place,
  actionOf: (write: Write) => Action,
  planned: readonly (Planned & { operation: string })[],
): Promise<Begun[]> {
  const { db, address } = needs;
  const { org, scope } = place.bound;
  const { requestId } = caller;
  const begun = planned.map((one): Begun => {
    const { operation, placing, write } = one;
    const { value: _, ...rest } = write;
    return { ...one, plan: { kind: "put", name: placing.name, operation, address, requestId, action: actionOf({ ...rest, value: undefined }), write: rest } };
  });
  const plans = begun.map(({ plan }) => plan);
  const kept = planned.flatMap(({ placing }) => (placing.kept ? [placing.kept] : []));
  const absent = planned.filter(({ placing }) => !placing.kept).map(({ placing }) => placing.name);
  const as = [...(kept.length > 0 ? [requireRevisions(db, kept)] : []), ...(absent.length > 0 ? [requireNoSecrets(db, org, scope, absent)] : [])];
  const writes = planned.map(({ write }) => write);
  await unlessTaken(needs, caller, writes, (guards) => beginWrites(needs, caller, place, plans, [...as, ...guards]));
  return begun;
}

/** What a store has made of a write: it has taken it, or why not, and whether it is known that it has not. */
type Put = { readonly operation: string } & ({ readonly write: Write } | { readonly problem: Problem; readonly isKnown: boolean });

async function putOne(needs: Sealing, place: OpenPlace, begun: Begun): Promise<Put> {
  const { key, operation, placing, write } = begun;
  if (place.over.aborted) return { operation, problem: noTimeLeft(place), isKnown: true };
  const bytes = new Uint8Array(placing.change.value.bytes);
  const put = async (): Promise<Put> => {
    const { version } = await place.driver.put(key, bytes, { operation });
    return { operation, write: { ...write, value: valueThere(place, placing.name, version) } };
  };
  try {
    return await put();
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (error.refusal === "deleted-name") return putAgain(needs, place, begun, put);
    return isNotDone(error) ? { operation, problem: problemOf(place, error), isKnown: true } : { operation, problem: notKnown(place, error), isKnown: false };
  }
}

/**
 * A key that was deleted there and can come back is taken until it does, which is on record before. Where the value is not taken then, it
 * is deleted again; once it may be there and that fails, too, something is left to be ended there.
 */
async function putAgain(needs: Sealing, place: OpenPlace, { key, operation, plan }: Begun, put: () => Promise<Put>): Promise<Put> {
  let isBack = false;
  try {
    const deleted = await place.driver.deleted(key);
    const unnoted = deleted && (await noteOrWhyNot(needs, place, plan, deleted));
    if (unnoted) return { operation, problem: unnoted, isKnown: true };
    isBack = await place.driver.restore(key);
    if (isBack) return await put();
    return { operation, problem: problemOf(place, new StoreError("deleted-name")), isKnown: true };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (isBack && isNotDone(error) && (await isDeleted(place, key))) return { operation, problem: problemOf(place, error), isKnown: true };
    return { operation, problem: notKnown(place, error), isKnown: false };
  }
}

/** Notes that a key comes back; why it could not be noted otherwise, and then it does not. */
async function noteOrWhyNot(needs: Sealing, place: OpenPlace, plan: PutPlan, deleted: StoreVersion): Promise<Problem | undefined> {
  try {
    await noteRestore(needs, place, plan, deleted);
    return undefined;
  } catch (error) {
    if (error instanceof GuardError && error.guard === "store_write_ended") return writePending();
    if (error instanceof Problem) return error;
    throw error;
  }
}

async function isDeleted(place: OpenPlace, key: string): Promise<boolean> {
  try {
    await place.driver.delete(key);
    return true;
  } catch (error) {
    if (error instanceof StoreError) return false;
    throw error;
  }
}

/** Ends here what the store has done. What scheduled work has ended meanwhile is as it was planned. */
async function end(
  needs: Sealing,
  caller: Caller,
  place: Place,
  actionOf: (write: Write) => Action,
  written: readonly { readonly operation: string; readonly write: Write }[],
): Promise<void> {
  const [first] = written;
  if (!first) return;
  const { db } = needs;
  const operations = written.map(({ operation }) => operation);
  try {
    await writeSecrets(
      needs,
      caller,
      actionOf(first.write),
      written.map(({ write }) => write),
      undefined,
      { statements: endWrites(db, operations) },
    );
  } catch (error) {
    if (error instanceof GuardError && error.guard === "store_write_ended" && (await areAll(needs, caller, written))) return;
    throw notEnded(place, error);
  }
}

async function areAll(needs: Sealing, caller: Caller, written: readonly { readonly write: Write }[]): Promise<boolean> {
  const rows = await Promise.all(written.map(({ write: { row } }) => findKept(needs, caller, { id: row.id })));
  return rows.every((row, n) => row?.revision === written[n]?.write.row.revision && row?.updated_at === written[n]?.write.row.updated_at);
}

/** Does the same with each of some, a few at a time. */
async function inTurns<T, Result>(all: readonly T[], work: (one: T) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (let at = 0; at < all.length; at += AT_ONCE) results.push(...(await Promise.all(all.slice(at, at + AT_ONCE).map(work))));
  return results;
}
