import type { Action } from "../../contract/audit.ts";
import type { Scope } from "../../contract/scope.ts";
import type { Caller } from "../access/caller.ts";
import type { Beside, SealingNeeds, Write } from "../secrets/write-secrets.ts";
import { writeSecrets } from "../secrets/write-secrets.ts";
import { GuardError, rowsOf } from "../store/run-batch.ts";
import { requireRevision, type ScopeRevision, selectRevision, selectRevisionOf } from "../store/scope-revisions.ts";
import type { SecretRow } from "../store/secret-columns.ts";
import { requireAnyThere } from "../store/secret-rows.ts";
import { readForCaller } from "../transaction/run-for-caller.ts";
import type { Verified } from "../transaction/verify-row.ts";
import { mayBeVariable } from "./change-of-key.ts";
import { namedKeys } from "./named-keys.ts";
import { type CheckAndSet, type ObjectNeeds, type ObjectState, objectState, revisionConflict, type WrittenObject } from "./object.ts";

/** A write of an object that is planned and not done yet. */
export interface ObjectWrite extends CheckAndSet {
  readonly scope: Scope;
  /** The revision at which the object was found, where all of it is written: nobody else may have written since. */
  readonly found?: number | undefined;
  /** Whether there has to be an object still: what is deleted is not brought back by a change of one key. */
  readonly mustBeThere?: boolean | undefined;
  readonly writes: readonly Write[];
  readonly deleted: readonly Verified<SecretRow>[];
  /** Whether all of the object is deleted. */
  readonly empties: boolean;
  /** What the event calls it, where that is not what becomes of the secrets. */
  readonly action?: Action | undefined;
}

/** @throws {Problem} `version-conflict` where the object is not at the revision that is asked for. */
export function checkRevision({ cas }: CheckAndSet, { revision }: ObjectState): void {
  if (cas !== undefined && cas !== revision) throw revisionConflict();
}

/**
 * Does a planned write of an object, all of it or nothing, in one transaction, and raises its revision by one where anything
 * changes.
 *
 * What is set has an event `secret.create` where all of it is new, and else `secret.update`; what is deleted has one of its own,
 * `secret.delete`: an event says one thing of all that it names, and the inventory of rows goes by that. All name the scope
 * as what they are about.
 *
 * @throws {GuardError} `unchanged` when something is not as it was found any more.
 * @throws {Problem} `version-conflict`, and what `writeSecrets` refuses.
 */
export async function writeObject(needs: SealingNeeds & ObjectNeeds, caller: Caller, planned: ObjectWrite): Promise<WrittenObject> {
  const { scope, writes, deleted, empties, cas, found, mustBeThere, action = actionOf(writes) } = planned;
  const key = { org: caller.org, scope };
  const guards = [
    ...(cas === undefined ? [] : [requireRevision(needs.db, key, cas, "scope_revision")]),
    ...(found === undefined ? [] : [requireRevision(needs.db, key, found, "unchanged")]),
    ...(mustBeThere ? [requireAnyThere(needs.db, caller.org, scope)] : []),
  ];
  const beside: Beside = { scope, guards, deleted, empties, recoveryDays: needs.recoveryDays };
  const state = await withConflict(() => writeSecrets(needs, caller, action, writes, beside));
  return writtenObject(needs, state ?? (await revisionAfter(needs, caller, planned)), writes);
}

/** Runs a transaction whose guard says that a condition does not hold. */
async function withConflict<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof GuardError && error.guard === "scope_revision") throw revisionConflict(error);
    throw error;
  }
}

function actionOf(writes: readonly Write[]): Action {
  if (writes.length === 0) return "secret.delete";
  return writes.every(({ outcome }) => outcome === "created") ? "secret.create" : "secret.update";
}

/** The state that a transaction came to whose answer was lost, or that wrote nothing. Others may have written since. */
async function revisionAfter(needs: ObjectNeeds, caller: Caller, { scope, writes, deleted }: ObjectWrite): Promise<ScopeRevision | undefined> {
  const { db } = needs;
  const written = writes.find(({ value }) => value !== undefined)?.row ?? deleted[0];
  const [state, own] = await readForCaller(needs, caller, [
    selectRevision(db, { org: caller.org, scope }),
    ...(written ? [selectRevisionOf(db, written)] : []),
  ]);
  const [now] = rowsOf<ScopeRevision>(state);
  const [revision] = rowsOf<{ readonly revision: number | null }>(own).map((row) => row.revision);
  return now && { ...now, revision: revision ?? now.revision };
}

/** What a write came to, as it is answered. */
export function writtenObject({ now, reservedNames }: ObjectNeeds, row: ScopeRevision | undefined, writes: readonly Write[]): WrittenObject {
  const { revision, revisedAt, customMetadata } = objectState(row);
  const kept = writes.filter(({ outcome, row: { name, variable } }) => outcome === "created" && variable === 0 && isReserved(name, reservedNames));
  const revived = writes.filter(({ endsExpiry }) => endsExpiry);
  const warnings = [
    ...(kept.length > 0
      ? [`Kept, and never environment variables, because these names are reserved, or are no names of variables: ${namedKeys(kept.map(({ row }) => row))}.`]
      : []),
    ...(revived.length > 0 ? [`These had expired, and have no expiry any more: ${namedKeys(revived.map(({ row }) => row))}.`] : []),
  ];
  return { revision, createdAt: revisedAt ?? now.getTime(), customMetadata, warnings };
}

function isReserved(name: string, reservedNames: ObjectNeeds["reservedNames"]): boolean {
  return !mayBeVariable(name as Parameters<typeof mayBeVariable>[0], reservedNames);
}
