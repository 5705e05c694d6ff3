import { Problem } from "../../contract/problem.ts";
import type { SecretName } from "../../contract/secret-name.ts";
import { type KeptSource, sourceOfText } from "../../contract/source.ts";
import type { Caller } from "../access/caller.ts";
import type { SecretValue } from "../secrets/change.ts";
import { findCurrent, secretNotFound } from "../secrets/find-secret.ts";
import { versionNotFound } from "../secrets/find-version.ts";
import { checkPrecondition, type Precondition } from "../secrets/precondition.ts";
import { pinned, readVersion, writtenElsewhere } from "../secrets/rollback-secret.ts";
import { planChange, type Write, writeSecrets } from "../secrets/write-secrets.ts";
import { requireScopeStore } from "../store/scope-store-rows.ts";
import { StoreError } from "../stores/store-driver.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import { findPlace, isThere, keyIn, writtenIn } from "./find-place.ts";
import { type OpenPlace, openPlace, problemOf, timeForStore } from "./open-place.ts";
import type { PlaceNeeds } from "./place-needs.ts";
import { placeValues } from "./place-values.ts";
import { doneOr } from "./set-there.ts";

/**
 * {@link rollbackSecret} of a secret whose scope is in a store: what the version had is written there as a new version. A version that was
 * there is read there, by the store's own id, and a place elsewhere is that place again.
 *
 * @throws {Problem} also `version-not-found` where the store does not have it any more, or nobody wrote it through here.
 */
export async function rollbackThere(needs: PlaceNeeds, caller: Caller, id: string, version: number, precondition: Precondition): Promise<Write> {
  caller.require("secrets:write");
  const over = timeForStore();
  return retryWhenChanged(async () => {
    const kept = await findCurrent(needs, caller, { id });
    if (!kept) throw secretNotFound({ id });
    const name = kept.name as SecretName;
    caller.require("secrets:write", kept.scope, name);
    checkPrecondition(precondition, kept);
    const found = await findPlace(needs, caller, kept.scope);
    const stored = await readVersion(needs, caller, kept, version);
    const source = stored.encoding === "source" ? sourceOfText(new TextDecoder().decode(stored.bytes)) : undefined;
    if (stored.encoding === "source" && !isThere(found, name, source)) {
      const sealing = await allowSealing(needs);
      const write = await planChange(sealing, caller, kept, { value: await pinned(needs, caller, version, stored) });
      await writeSecrets(sealing, caller, "secret.rollback", [write], undefined, {
        statements: [requireScopeStore(needs.db, caller.org, kept.scope, found.bound)],
      });
      return write;
    }
    const place = await openPlace(needs, caller, found, "store.write", over);
    const value = source ? await readThere(place, name, version, source) : stored;
    return doneOr(await placeValues(needs, caller, place, () => "secret.rollback", [{ name, kept, change: { value }, undelete: false }]));
  });
}

async function readThere(place: OpenPlace, name: string, version: number, source: KeptSource): Promise<SecretValue> {
  const written = writtenIn(place, source);
  if (source.written !== undefined && written === undefined) throw writtenElsewhere(version);
  if (written === undefined) throw new Problem("version-not-found", `Version ${version} is whatever the store had: nobody wrote one through here.`);
  try {
    const stored = await place.driver.get(keyIn(place, name), written);
    if (!stored) throw versionNotFound(version);
    return { bytes: stored.value, encoding: "base64" };
  } catch (error) {
    throw error instanceof StoreError ? problemOf(place, error) : error;
  }
}
