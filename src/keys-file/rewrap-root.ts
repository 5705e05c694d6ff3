import type { KeyChange } from "./change-keys-file.ts";
import { openKeyring } from "./open-keyring.ts";
import type { WorkerSecrets } from "./worker-secrets.ts";
import { newRootKey, rewrapKey } from "./wrapped-key.ts";

/**
 * Puts the keys of `KEYRING` under a new `ROOT_KEY`. They stay the same, so no data changes.
 *
 * @throws {KeysFileError} when the keys are not usable as they are.
 */
export async function rewrapRoot(secrets: Partial<WorkerSecrets>): Promise<KeyChange & { readonly secrets: Pick<WorkerSecrets, "ROOT_KEY" | "KEYRING"> }> {
  const { root, keyring } = await openKeyring(secrets);
  const fresh = await newRootKey();
  const entries = Object.entries(keyring.keys).map(async ([id, wrapped]) => [id, await rewrapKey(root, fresh, wrapped)] as const);
  const keys = Object.fromEntries(await Promise.all(entries));
  return { secrets: { ROOT_KEY: fresh.text, KEYRING: JSON.stringify({ ...keyring, keys }) } };
}
