import type { KeyChange } from "./change-keys-file.ts";
import { kidOf, newSigningKey, publicHalf, readSigningKeys, type SigningName } from "./signing-key.ts";
import type { WorkerSecrets } from "./worker-secrets.ts";

/**
 * Puts a new key before those of `SIGNING_KEY` or `LOG_KEY`: it signs, the others still verify. `before` is the one that
 * signed, `undefined` for none. A deployment whose tokens' keys have signed its log too gets its first `LOG_KEY`, in which those are retired.
 *
 * @throws {KeysFileError} when the keys are not usable as they are.
 */
export function rotateSigning(secrets: Partial<WorkerSecrets>, name: SigningName): KeyChange & { readonly kid: string; readonly before?: string } {
  const fresh = newSigningKey();
  const first = name === "LOG_KEY" && !secrets.LOG_KEY;
  const { keys, ...rest } = readSigningKeys(secrets, first ? "SIGNING_KEY" : name);
  const next = first ? { keys: [fresh, ...keys.map(publicHalf)], alone: true } : { ...rest, keys: [fresh, ...keys] };
  return { secrets: { [name]: JSON.stringify(next) }, kid: kidOf(fresh), ...(first ? {} : { before: kidOf(keys[0]) }) };
}
