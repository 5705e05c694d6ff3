import type { Pattern } from "../../contract/pattern.ts";
import { Problem } from "../../contract/problem.ts";
import { whyReserved } from "../../contract/reserved-name.ts";
import type { Scope } from "../../contract/scope.ts";
import type { SecretName } from "../../contract/secret-name.ts";
import type { Caller } from "../access/caller.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import type { ChangeOfValue } from "./change.ts";
import { findCurrent } from "./find-secret.ts";
import { checkPrecondition, type Precondition } from "./precondition.ts";
import { planChange, planCreation, type Write, type WriteNeeds, writeSecrets } from "./write-secrets.ts";

/** Where a secret is to be set. */
export interface Target {
  readonly scope: Scope;
  readonly name: SecretName;
}

/** What a verb that names a secret needs beside what a write needs. */
export type NamingNeeds = WriteNeeds & { readonly reservedNames: readonly Pattern[] };

/**
 * Sets a secret: creates it, or adds a version to it. What it holds already adds no version.
 *
 * @throws {Problem} `forbidden`, `name-reserved`, `name-locked`, `env-name-conflict`, `version-conflict`, `storage-unavailable`.
 */
export async function setSecret(
  needs: NamingNeeds,
  caller: Caller,
  { scope, name }: Target,
  change: ChangeOfValue,
  precondition: Precondition,
): Promise<Write> {
  caller.require("secrets:write", scope, name);
  refuseReserved(name, needs.reservedNames);
  return retryWhenChanged(async () => {
    const current = await findCurrent(needs, caller, { scope, name });
    checkPrecondition(precondition, current);
    const sealing = await allowSealing(needs);
    const write = current ? await planChange(sealing, caller, current, change) : await planCreation(sealing, caller, { scope, name }, change);
    await writeSecrets(sealing, caller, current ? "secret.update" : "secret.create", [write]);
    return write;
  });
}

/**
 * Creates a secret that is not there yet.
 *
 * @throws {Problem} `forbidden`, `name-reserved`, `name-locked`, `env-name-conflict`, `secret-exists`, `storage-unavailable`.
 */
export async function createSecret(needs: NamingNeeds, caller: Caller, { scope, name }: Target, change: ChangeOfValue): Promise<Write> {
  caller.require("secrets:write", scope, name);
  refuseReserved(name, needs.reservedNames);
  return retryWhenChanged(async () => {
    if (await findCurrent(needs, caller, { scope, name })) throw new Problem("secret-exists", `There is a secret ${name} in ${scope} already.`);
    const sealing = await allowSealing(needs);
    const write = await planCreation(sealing, caller, { scope, name }, change);
    await writeSecrets(sealing, caller, "secret.create", [write]);
    return write;
  });
}

/** @throws {Problem} `name-reserved`, naming the pattern and where it stands. */
function refuseReserved(name: SecretName, deployment: readonly Pattern[]): void {
  const why = whyReserved(name, deployment);
  if (why !== undefined) throw new Problem("name-reserved", why);
}
