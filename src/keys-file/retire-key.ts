import type { KeyChange } from "./change-keys-file.ts";
import { KeysFileError } from "./keys-file-error.ts";
import { kidOf, publicHalf, readSigningKeys, type SigningName } from "./signing-key.ts";
import type { WorkerSecrets } from "./worker-secrets.ts";

/**
 * Leaves of a signing key its public half, retired: it verifies what was said about the log, and no token any more.
 *
 * @throws {KeysFileError} when it is the key that signs, not there, or retired.
 */
export function retireKey(secrets: Partial<WorkerSecrets>, name: SigningName, kid: string): KeyChange {
  const { keys, ...rest } = readSigningKeys(secrets, name);
  const found = keys.find((jwk) => kidOf(jwk) === kid);
  if (!found) throw new KeysFileError(`${name} has no key ${kid}`, `it has: ${keys.map(kidOf).join(", ")}`);
  if (found === keys[0]) throw new KeysFileError(`${kid} is the key that signs`, "rotate-signing puts another one before it");
  if (found.retired) throw new KeysFileError(`${kid} is retired already`, "there is nothing to do");
  return { secrets: { [name]: JSON.stringify({ ...rest, keys: keys.map((jwk) => (jwk === found ? publicHalf(jwk) : jwk)) }) } };
}
