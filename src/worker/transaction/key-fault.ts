import { isFingerprint } from "../../contract/fingerprint.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { unwraps } from "../envelope/unwraps.ts";
import type { KeySample } from "../store/key-samples.ts";

/**
 * What is wrong with a key that something is under. `missing`: the keyring lacks it. `wrong`: nothing that is under its id
 * was wrapped under it. `mixed`: some of it was, so two keys have had this id, or rows are damaged.
 */
export type KeyFault = "missing" | "wrong" | "mixed";

/** What each fault is called, with the name of the key. Nothing of the key is in it. */
export const KEY_FAULTS: { readonly [fault in KeyFault]: (id: string) => string } = {
  missing: (id) => `KEYRING lacks the key ${id}, and versions are under it`,
  wrong: (id) => `KEYRING: the key ${id} is another one than what is under this id was wrapped with`,
  mixed: (id) => `KEYRING: some of what is under the id ${id} was wrapped with another key`,
};

/** Judges a key by what is under it. One whose id is its fingerprint was checked when it was imported. */
export async function keyFault(keyring: Keyring, { key_id, oldest, newest }: KeySample): Promise<KeyFault | undefined> {
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
