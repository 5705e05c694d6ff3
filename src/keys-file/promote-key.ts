import type { KeyChange } from "./change-keys-file.ts";
import { KeysFileError } from "./keys-file-error.ts";
import { openKeyring } from "./open-keyring.ts";
import type { WorkerSecrets } from "./worker-secrets.ts";

/**
 * Makes the newest key of `KEYRING` its current one. `before` is the one that was.
 *
 * @throws {KeysFileError} when the keys are not usable as they are, or the newest one is the current one.
 */
export async function promoteKey(secrets: Partial<WorkerSecrets>): Promise<KeyChange & { readonly id: string; readonly before: string }> {
  const { keyring } = await openKeyring(secrets);
  const { current, keys } = keyring;
  const id = Object.keys(keys).at(-1) ?? current;
  if (id === current) throw new KeysFileError(`KEYRING has no key that is newer than its current one, ${current}`, "add makes one");
  return { secrets: { KEYRING: JSON.stringify({ ...keyring, current: id }) }, id, before: current };
}
