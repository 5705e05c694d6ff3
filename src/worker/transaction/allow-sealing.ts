import { isFingerprint } from "../../contract/fingerprint.ts";
import { storageUnavailable } from "../../contract/problem.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { type KeySample, selectKeySample } from "../store/key-samples.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { KEY_FAULTS, keyFault } from "./key-fault.ts";

declare const sound: unique symbol;
/** A keyring whose current key is the one that it was: values and rows may be sealed under it. */
export type SealingKeyring = Keyring & { readonly [sound]: true };

/** Keyrings that were found sound. An isolate's does not change. */
const found = new WeakSet<Keyring>();

/**
 * Lets a verb seal, unless the current key is another one than what is under its id was wrapped with: what that sealed
 * would be lost with it. A key whose id is its fingerprint cannot be. For any other one it costs a read, once in each
 * isolate; where nothing is under the id yet there is nothing to tell it by.
 *
 * @throws {Problem} `storage-unavailable`.
 */
export async function allowSealing<Needs extends { readonly db: D1Database; readonly keyring: Keyring }>(
  needs: Needs,
): Promise<Needs & { readonly keyring: SealingKeyring }> {
  const { db, keyring } = needs;
  if (!isFingerprint(keyring.current) && !found.has(keyring)) {
    const [sample] = rowsOf<KeySample>((await runBatch(db, [selectKeySample(db, keyring.current)]))[0]);
    if (sample && (await keyFault(keyring, sample)) === "wrong") throw storageUnavailable(`${KEY_FAULTS.wrong(keyring.current)}: nothing is sealed with it.`);
    found.add(keyring);
  }
  return needs as Needs & { readonly keyring: SealingKeyring };
}
