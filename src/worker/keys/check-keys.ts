import { isFingerprint } from "../../contract/fingerprint.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { unwraps } from "../envelope/unwraps.ts";
import { type KeySample, selectKeySamples } from "../store/key-samples.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";

/**
 * What is wrong with a key. `unusable`: it is in the keyring, and does not unwrap, or is not the one that its id is the
 * fingerprint of. `missing`: versions are under it, and the keyring lacks it. `wrong`: nothing that is under its id was
 * wrapped under it. `mixed`: some of it was, so two keys have had this id, or rows are damaged.
 */
export type KeyFault = "unusable" | "missing" | "wrong" | "mixed";

/** What is wrong with which keys, by id. */
export type KeyFaults = ReadonlyMap<string, KeyFault>;

/**
 * Checks the keyring against what is under its keys. A key whose id is its fingerprint was checked when it was imported; of
 * any other one the oldest and the newest data keys under its id are unwrapped.
 *
 * @throws {Problem} `storage-unavailable`.
 */
export async function checkKeys({ db, keyring }: { db: D1Database; keyring: Keyring }): Promise<KeyFaults> {
  const [found] = await runBatch(db, [selectKeySamples(db)]);
  const unusable = [...keyring.faults.keys()].map((id) => [id, "unusable"] as const);
  const checked = await Promise.all(rowsOf<KeySample>(found).map(async (sample) => [sample.key_id, await faultOf(keyring, sample)] as const));
  return new Map([...checked.flatMap(([id, fault]) => (fault ? [[id, fault] as const] : [])), ...unusable]);
}

async function faultOf(keyring: Keyring, { key_id, oldest, newest }: KeySample): Promise<KeyFault | undefined> {
  const key = keyring.keys.get(key_id);
  if (!key) return "missing";
  if (isFingerprint(key_id)) return undefined;
  const [old, recent] = await Promise.all([anyUnwraps(key, oldest), anyUnwraps(key, newest)]);
  if (old && recent) return undefined;
  return old || recent ? "mixed" : "wrong";
}

async function anyUnwraps(key: CryptoKey, sample: string): Promise<boolean> {
  const results = await Promise.all((JSON.parse(sample) as string[]).map((wrapped) => unwraps(key, wrapped)));
  return results.includes(true);
}
