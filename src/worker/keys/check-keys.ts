import type { Keyring } from "../envelope/keyring.ts";
import { type KeySample, selectKeySamples } from "../store/key-samples.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import type { SealingKeyring } from "../transaction/allow-sealing.ts";
import { type KeyFault, keyFault } from "../transaction/key-fault.ts";

/** `unusable`: it is in the keyring, and does not unwrap, or is not the one that its id is the fingerprint of. */
export type Fault = KeyFault | "unusable";

/** What is wrong with which keys, by id. */
export type KeyFaults = ReadonlyMap<string, Fault>;

type Needs = { readonly db: D1Database; readonly keyring: Keyring };

/**
 * Checks the keyring against what is under its keys. A key whose id is its fingerprint was checked when it was imported; of
 * any other one the oldest and the newest data keys under its id are unwrapped.
 *
 * @throws {Problem} `storage-unavailable`.
 */
export async function checkKeys({ db, keyring }: Needs): Promise<KeyFaults> {
  const [found] = await runBatch(db, [selectKeySamples(db)]);
  const unusable = [...keyring.faults.keys()].map((id) => [id, "unusable"] as const);
  const checked = await Promise.all(rowsOf<KeySample>(found).map(async (sample) => [sample.key_id, await keyFault(keyring, sample)] as const));
  return new Map([...checked.flatMap(([id, fault]) => (fault ? [[id, fault] as const] : [])), ...unusable]);
}

/** {@link checkKeys} when it is asked for first, and what that found from then on: for jobs of one run. */
export function checkKeysOnce(needs: Needs): () => Promise<KeyFaults> {
  let faults: KeyFaults | undefined;
  return async () => {
    faults ??= await checkKeys(needs);
    return faults;
  };
}

/** The keyring, to seal anew with what it sealed before; not under a current key of which anything is wrong. */
export function soundKeyring(keyring: Keyring, faults: KeyFaults): SealingKeyring | undefined {
  return faults.has(keyring.current) ? undefined : (keyring as SealingKeyring);
}
