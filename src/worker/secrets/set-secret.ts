import type { Pattern } from "../../contract/pattern.ts";
import { Problem } from "../../contract/problem.ts";
import { whyReserved } from "../../contract/reserved-name.ts";
import type { Scope } from "../../contract/scope.ts";
import { INITIAL_METADATA } from "../../contract/secret-metadata.ts";
import type { SecretName } from "../../contract/secret-name.ts";
import type { Caller } from "../access/caller.ts";
import type { SecretRow } from "../store/secret-columns.ts";
import type { CurrentRow } from "../store/secret-rows.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import type { Verified } from "../transaction/verify-row.ts";
import type { ChangeOfValue } from "./change.ts";
import { findKeptCurrent } from "./find-secret.ts";
import { planRevival } from "./plan-revival.ts";
import { checkPrecondition, type Precondition } from "./precondition.ts";
import { planChange, planCreation, type SealingNeeds, type Write, type WriteNeeds, writeSecrets } from "./write-secrets.ts";

/** Where a secret is to be set. */
export interface Target {
  readonly scope: Scope;
  readonly name: SecretName;
}

/** What a verb that names a secret needs beside what a write needs. */
export type NamingNeeds = WriteNeeds & { readonly reservedNames: readonly Pattern[] };

/**
 * Sets a secret: creates it, or adds a version to it. What it holds already adds no version. One that was deleted is a new
 * one, with the same id.
 *
 * @param undelete Whether the earlier versions of one that was deleted come back, too; otherwise they are destroyed.
 *
 * @throws {Problem} `forbidden`, `name-reserved`, `name-locked`, `env-name-conflict`, `version-conflict`, `storage-unavailable`.
 */
export async function setSecret(
  needs: NamingNeeds,
  caller: Caller,
  { scope, name }: Target,
  change: ChangeOfValue,
  precondition: Precondition,
  undelete = false,
): Promise<Write> {
  caller.require("secrets:write", scope, name);
  if (change.metadata?.variable === 1) refuseReserved(name, needs.reservedNames);
  return retryWhenChanged(async () => {
    const kept = await findToSet(needs, caller, { scope, name }, change, precondition);
    const sealing = await allowSealing(needs);
    const write = await planSetting(sealing, caller, { scope, name }, { kept, change, undelete });
    await writeSecrets(sealing, caller, actionOfSetting(write), [write]);
    return write;
  });
}

/** What the event of setting a secret says. */
export function actionOfSetting({ outcome }: Pick<Write, "outcome">): "secret.create" | "secret.update" {
  return outcome === "created" ? "secret.create" : "secret.update";
}

/**
 * The secret that is to be set, if its name has one, also one that was deleted.
 *
 * @throws {Problem} `name-reserved`, `version-conflict`.
 */
export async function findToSet(
  needs: NamingNeeds,
  caller: Caller,
  { scope, name }: Target,
  change: ChangeOfValue,
  precondition: Precondition,
): Promise<Verified<CurrentRow> | undefined> {
  const kept = await findKeptCurrent(needs, caller, { scope, name });
  if (isVariable(kept, change)) refuseReserved(name, needs.reservedNames);
  const recoverable = kept && (kept.deleted_until ?? Number.POSITIVE_INFINITY) > needs.now.getTime() ? kept : undefined;
  checkPrecondition(precondition, kept?.deleted_at === null ? kept : undefined, recoverable);
  return kept;
}

/** Plans to set a secret that is there, was deleted, or is new. */
export async function planSetting(
  needs: SealingNeeds,
  caller: Caller,
  target: Target,
  { kept, change, undelete }: { readonly kept: Verified<CurrentRow> | undefined; readonly change: ChangeOfValue; readonly undelete: boolean },
): Promise<Write> {
  if (!kept) return planCreation(needs, caller, target, change);
  return kept.deleted_at === null ? planChange(needs, caller, kept, change) : planRevival(needs, caller, kept, change, undelete);
}

/**
 * Creates a secret that is not there yet.
 *
 * @throws {Problem} `forbidden`, `name-reserved`, `name-locked`, `env-name-conflict`, `secret-exists`, `storage-unavailable`.
 */
export async function createSecret(needs: NamingNeeds, caller: Caller, { scope, name }: Target, change: ChangeOfValue, undelete = false): Promise<Write> {
  caller.require("secrets:write", scope, name);
  if (isVariable(undefined, change)) refuseReserved(name, needs.reservedNames);
  return retryWhenChanged(async () => {
    const kept = await findToCreate(needs, caller, { scope, name });
    const sealing = await allowSealing(needs);
    const write = await planSetting(sealing, caller, { scope, name }, { kept, change, undelete });
    await writeSecrets(sealing, caller, "secret.create", [write]);
    return write;
  });
}

/**
 * The deleted secret whose name a new one takes, if there is one.
 *
 * @throws {Problem} `secret-exists`.
 */
export async function findToCreate(needs: NamingNeeds, caller: Caller, { scope, name }: Target): Promise<Verified<CurrentRow> | undefined> {
  const kept = await findKeptCurrent(needs, caller, { scope, name });
  if (kept?.deleted_at === null) throw new Problem("secret-exists", `There is a secret ${name} in ${scope} already.`);
  return kept;
}

/** Whether a secret may become a variable once it is changed. One that was deleted is a new one. */
export function isVariable(kept: SecretRow | undefined, { metadata }: ChangeOfValue): boolean {
  const before = kept?.deleted_at === null ? kept : INITIAL_METADATA;
  return (metadata?.variable ?? before.variable) === 1;
}

/** @throws {Problem} `name-reserved`, naming the pattern and where it stands. */
export function refuseReserved(name: SecretName, deployment: readonly Pattern[]): void {
  const why = whyReserved(name, deployment);
  if (why !== undefined) throw new Problem("name-reserved", why);
}
