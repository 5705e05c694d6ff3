import type { KeyChange } from "./change-keys-file.ts";
import { KeysFileError } from "./keys-file-error.ts";
import { readKeyring } from "./open-keyring.ts";
import type { WorkerSecrets } from "./worker-secrets.ts";

/**
 * Takes a key out of `KEYRING`. Whether anything is under it is for the caller to know.
 *
 * @throws {KeysFileError} when it is the current key, or not there.
 */
export function dropKey(secrets: Partial<WorkerSecrets>, id: string): KeyChange {
  const { keys, ...keyring } = readKeyring(secrets);
  const ids = Object.keys(keys);
  if (!ids.includes(id)) throw new KeysFileError(`KEYRING has no key ${id}`, `it has: ${ids.join(", ")}`);
  if (id === keyring.current) throw new KeysFileError(`${id} is the current key`, "add makes another one, and promote makes that the current one");
  const { [id]: _, ...left } = keys;
  // Seals count from the next key on: those of this one are no more.
  const next = ids[ids.indexOf(id) + 1];
  const from = keyring.seals_from === id && next !== undefined ? { seals_from: next } : {};
  return { secrets: { KEYRING: JSON.stringify({ ...keyring, ...from, keys: left }) } };
}
