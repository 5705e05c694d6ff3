import { Problem } from "../../contract/problem.ts";
import { takesWrites } from "../../contract/store.ts";
import type { Caller } from "../access/caller.ts";
import { GuardError } from "../store/run-batch.ts";
import { type OpenNeeds, openStore } from "../stores/open-store.ts";
import { REFUSAL_WORDS } from "../stores/refusal-words.ts";
import { type StoreDriver, StoreError, type StoreRefusal } from "../stores/store-driver.ts";
import { recordFailure, UnreleasedError } from "../transaction/record-failure.ts";
import { IntegrityProblem } from "../transaction/verify-row.ts";
import type { Place } from "./find-place.ts";

/** For how long one call may ask a store, in milliseconds. */
const WITHIN = 45_000;

/** The time of one call for its store, however often it begins anew: once it is over nothing of it leaves any more. */
export function timeForStore(): AbortSignal {
  return AbortSignal.timeout(WITHIN);
}

/** A store that is open, until its time is over. */
export interface OpenPlace extends Place {
  readonly driver: StoreDriver;
  readonly over: AbortSignal;
}

/** What is about the caller, or about Keyhole's own storage, and not about the store. */
const NOT_THE_STORES: ReadonlySet<string> = new Set(["unauthenticated", "rate-limited", "storage-unavailable", "integrity-failed", "internal"]);

/**
 * Opens the store of a scope. That its credentials are released is on record before they leave. Whoever may write the scope need not
 * know why they cannot be used.
 *
 * @throws {Problem} `store-unavailable`, `store-refused`, `rate-limited`, `unauthenticated`, `integrity-failed`, `storage-unavailable`.
 */
export async function openPlace(needs: OpenNeeds, caller: Caller, place: Place, action: "store.read" | "store.write", over: AbortSignal): Promise<OpenPlace> {
  if (action === "store.write") requireWritable(place);
  try {
    return { ...place, over, driver: await openStore(needs, caller, place.found, action, over) };
  } catch (error) {
    if (error instanceof UnreleasedError) await recordFailure(needs, caller, error.failure);
    if (error instanceof UnreleasedError || (error instanceof Problem && !NOT_THE_STORES.has(error.code)))
      throw unavailable(`The credentials of the store ${place.bound.store} cannot be used.`, error);
    throw error instanceof StoreError ? problemOf(place, error) : error;
  }
}

/** Of these nothing has happened in the store; of the others it may have. */
const NOT_DONE: ReadonlySet<StoreRefusal> = new Set(["address", "credential", "permission", "too-large", "conflict", "deleted-name", "name"]);

/** Whether a refusal says that nothing has happened: also not by what was sent before it, and not answered. */
export function isNotDone({ refusal, mayBeDone }: StoreError): boolean {
  return NOT_DONE.has(refusal) && !mayBeDone;
}

/** @throws {Problem} `store-refused` where the store's definition says that it is only read from. */
export function requireWritable({ bound, found }: Place): void {
  if (takesWrites(found.definition)) return;
  throw new Problem("store-refused", `The store ${bound.store}, which ${bound.scope} is in, takes no writes: its definition says so ("write").`);
}

/** What a store's refusal is to the caller. */
export function problemOf({ bound: { store } }: Pick<Place, "bound">, error: StoreError): Problem {
  switch (error.refusal) {
    case "too-large":
      return new Problem("value-too-large", `The store ${store} takes no value of this size.`, { cause: error });
    case "permission":
      return new Problem("store-refused", `The store ${store} does not allow its credentials to do this.`, { cause: error });
    case "name":
      return new Problem("store-refused", `The store ${store} has no such keys.`, { cause: error });
    case "deleted-name":
      return new Problem("store-refused", `The store ${store} has deleted the key, and does not bring it back.`, { cause: error });
    case "endless":
      return new Problem("store-refused", `The store ${store} lists more than can be gone through, or goes round in circles.`, { cause: error });
    case "conflict":
      return new Problem("write-conflict", `The store ${store} is being changed by others. Nothing of this has happened; make the call again.`, {
        cause: error,
      });
    default:
      return unavailable(`The store ${store} does not do this now: ${REFUSAL_WORDS[error.refusal]}.`, error);
  }
}

/** The answer when it is not known whether a store has done what it was asked. */
export function notKnown({ bound: { store } }: Pick<Place, "bound">, error: StoreError): Problem {
  return unavailable(
    `It is not known whether the store ${store} has done this: ${REFUSAL_WORDS[error.refusal]}. It is found out within minutes, and until then the secret stays as it is.`,
    error,
  );
}

/** The answer when a store has done something, and it could not be ended here: whatever came first, nothing is tried again. */
export function notEnded({ bound: { store } }: Pick<Place, "bound">, error: unknown): unknown {
  const done = `The store ${store} has done it all the same: that is found out within minutes, and until then the secret stays here as it is.`;
  if (error instanceof GuardError) {
    const detail = `The store ${store} has done it, and it was not ended here, because something else came first: that is found out within minutes.`;
    return new Problem("write-conflict", detail, { cause: error, headers: { "Retry-After": "5" } });
  }
  if (!(error instanceof Problem) || error instanceof IntegrityProblem) return error;
  const { code, message, members, headers, about } = error;
  return new Problem(code, `${message} ${done}`, { members, headers, about, cause: error });
}

/** The answer when a store took so long with the others of one call that this one was not begun. */
export function noTimeLeft({ bound: { store } }: Pick<Place, "bound">): Problem {
  return unavailable(`The store ${store} took too long with what came before. Nothing of this has happened; make the call again.`, undefined);
}

function unavailable(detail: string, cause: unknown): Problem {
  return new Problem("store-unavailable", detail, { cause, headers: { "Retry-After": "5" } });
}
