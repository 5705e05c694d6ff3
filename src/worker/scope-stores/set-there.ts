import { Problem } from "../../contract/problem.ts";
import type { SecretName } from "../../contract/secret-name.ts";
import type { Caller } from "../access/caller.ts";
import type { Change, ChangeOfValue } from "../secrets/change.ts";
import { findCurrent, secretNotFound } from "../secrets/find-secret.ts";
import { checkPrecondition, type Precondition } from "../secrets/precondition.ts";
import type { SecretSelector } from "../secrets/secret-selector.ts";
import { actionOfSetting, findToCreate, findToSet, isVariable, refuseReserved, type Target } from "../secrets/set-secret.ts";
import type { Write } from "../secrets/write-secrets.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import { findPlace } from "./find-place.ts";
import { openPlace, timeForStore } from "./open-place.ts";
import type { PlaceNeeds } from "./place-needs.ts";
import { type Placed, placeValues } from "./place-values.ts";

/** {@link setSecret} in a scope that is in a store. What the store has already adds no version. */
export async function setThere(
  needs: PlaceNeeds,
  caller: Caller,
  target: Target,
  change: ChangeOfValue,
  precondition: Precondition,
  undelete: boolean,
): Promise<Write> {
  const { scope, name } = target;
  caller.require("secrets:write", scope, name);
  if (change.metadata?.variable === 1) refuseReserved(name, needs.reservedNames);
  const over = timeForStore();
  return retryWhenChanged(async () => {
    const kept = await findToSet(needs, caller, target, change, precondition);
    const place = await openPlace(needs, caller, await findPlace(needs, caller, scope), "store.write", over);
    return doneOr(await placeValues(needs, caller, place, actionOfSetting, [{ name, kept, change, undelete }]));
  });
}

/** {@link createSecret} in a scope that is in a store. */
export async function createThere(needs: PlaceNeeds, caller: Caller, target: Target, change: ChangeOfValue, undelete: boolean): Promise<Write> {
  const { scope, name } = target;
  caller.require("secrets:write", scope, name);
  if (isVariable(undefined, change)) refuseReserved(name, needs.reservedNames);
  const over = timeForStore();
  return retryWhenChanged(async () => {
    const kept = await findToCreate(needs, caller, target);
    const place = await openPlace(needs, caller, await findPlace(needs, caller, scope), "store.write", over);
    return doneOr(await placeValues(needs, caller, place, actionOfSetting, [{ name, kept, change, undelete }]));
  });
}

/** {@link patchSecret} of a secret whose scope is in a store. */
export async function patchThere(
  needs: PlaceNeeds,
  caller: Caller,
  selector: SecretSelector,
  { value, ...change }: Change,
  precondition: Precondition,
): Promise<Write> {
  caller.require("secrets:write", ...("id" in selector ? [] : [selector.scope, selector.name]));
  if (!value) throw new Error("a change without a value is made here");
  const over = timeForStore();
  return retryWhenChanged(async () => {
    const kept = await findCurrent(needs, caller, selector);
    if (!kept) throw secretNotFound(selector);
    const name = kept.name as SecretName;
    caller.require("secrets:write", kept.scope, name);
    checkPrecondition(precondition, kept);
    if (change.metadata?.variable === 1) refuseReserved(name, needs.reservedNames);
    const place = await openPlace(needs, caller, await findPlace(needs, caller, kept.scope), "store.write", over);
    return doneOr(await placeValues(needs, caller, place, () => "secret.update", [{ name, kept, change: { ...change, value }, undelete: false }]));
  });
}

/** The one write that was to be made. @throws {Problem} why it was not. */
export function doneOr([placed]: readonly Placed[]): Write {
  if (!placed) throw new Error("nothing became of a write");
  if (placed instanceof Problem) throw placed;
  return placed;
}
