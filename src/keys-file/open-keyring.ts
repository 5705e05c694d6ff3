import { isFingerprint } from "../contract/fingerprint.ts";
import { KeyringError, type KeyringText, parseKeyringText } from "../contract/keyring-text.ts";
import { KeysFileError } from "./keys-file-error.ts";
import type { WorkerSecrets } from "./worker-secrets.ts";
import { fingerprintOf, importRootKey, type RootKey } from "./wrapped-key.ts";

/** A keyring, and the root key that its keys are under. */
export interface OpenKeyring {
  readonly root: RootKey;
  readonly keyring: KeyringText;
}

/**
 * Reads `KEYRING`, without its keys.
 *
 * @throws {KeysFileError} when it is missing or not of its form.
 */
export function readKeyring({ KEYRING }: Partial<WorkerSecrets>): KeyringText {
  try {
    return parseKeyringText(KEYRING);
  } catch (error) {
    throw asRefusal(error);
  }
}

/**
 * Opens `KEYRING` with `ROOT_KEY`, as the Worker does: what it would refuse is not built upon.
 *
 * @throws {KeysFileError} when either is missing or malformed, or a key does not unwrap, or is not the one that its id says.
 */
export async function openKeyring(secrets: Partial<WorkerSecrets>): Promise<OpenKeyring> {
  const keyring = readKeyring(secrets);
  try {
    const root = await importRoot(secrets.ROOT_KEY);
    await Promise.all(Object.entries(keyring.keys).map(([id, wrapped]) => checkKey(root, id, wrapped)));
    return { root, keyring };
  } catch (error) {
    throw asRefusal(error);
  }
}

async function importRoot(text: string | undefined): Promise<RootKey> {
  if (!text) throw new KeyringError("ROOT_KEY is not set");
  if (!/^[A-Za-z0-9+/]{43}=$/.test(text)) throw new KeyringError("ROOT_KEY is not 256 bits of base64");
  return importRootKey(text);
}

async function checkKey(root: RootKey, id: string, wrapped: string): Promise<void> {
  const found = await fingerprintOf(root, wrapped).catch((cause: unknown) => {
    throw new KeyringError(`KEYRING: the key ${id} does not unwrap under ROOT_KEY`, { cause });
  });
  if (isFingerprint(id) && id !== found) throw new KeyringError(`KEYRING: the key ${id} is another one than its id says`);
}

function asRefusal(error: unknown): unknown {
  if (!(error instanceof KeyringError)) return error;
  return new KeysFileError(error.message, "name the file that has ROOT_KEY and KEYRING of the same Worker; a new deployment's come from init", {
    cause: error,
  });
}
