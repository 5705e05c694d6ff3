import type { KeyChange } from "./change-keys-file.ts";
import { KeysFileError } from "./keys-file-error.ts";
import { openKeyring } from "./open-keyring.ts";
import type { WorkerSecrets } from "./worker-secrets.ts";
import { newWrappedKey } from "./wrapped-key.ts";

/**
 * Adds a new key to `KEYRING`, which is not its current one yet: first every isolate has to know it.
 *
 * @throws {KeysFileError} when the keys are not usable as they are, or the last new key is not current yet.
 */
export async function addKey(secrets: Partial<WorkerSecrets>): Promise<KeyChange & { readonly id: string }> {
  const { root, keyring } = await openKeyring(secrets);
  const newest = Object.keys(keyring.keys).at(-1);
  if (newest !== undefined && newest !== keyring.current)
    throw new KeysFileError(
      `KEYRING has a new key already, which is not the current one yet: ${newest}`,
      `promote makes it the current one, drop ${newest} takes it out`,
    );
  const { id, wrapped } = await newWrappedKey(root);
  return { secrets: { KEYRING: JSON.stringify({ ...keyring, keys: { ...keyring.keys, [id]: wrapped } }) }, id };
}
