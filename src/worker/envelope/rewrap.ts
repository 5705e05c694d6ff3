import { fromBase64url, toBase64url } from "../../contract/base64url.ts";
import type { Keyring } from "./keyring.ts";
import { KeyMissingError, OpenError } from "./open.ts";
import type { Envelope } from "./seal.ts";

/** A data key, wrapped under the keyring's key `keyId`. */
export type WrappedKey = Pick<Envelope, "wrappedKey" | "keyId">;

/**
 * Wraps a data key under the keyring's current key. The ciphertext that it opens is not touched.
 *
 * @throws {KeyMissingError} when the keyring lacks the key it is wrapped under.
 * @throws {OpenError} when it does not unwrap.
 */
export async function rewrap(keyring: Keyring, { wrappedKey, keyId }: WrappedKey): Promise<WrappedKey> {
  const from = keyring.keys.get(keyId);
  const to = keyring.keys.get(keyring.current);
  if (!from || !to) throw new KeyMissingError(keyId);
  try {
    const dataKey = await crypto.subtle.unwrapKey("raw", fromBase64url(wrappedKey), from, "AES-KW", "AES-GCM", true, ["decrypt"]);
    return { wrappedKey: toBase64url(await crypto.subtle.wrapKey("raw", dataKey, to, "AES-KW")), keyId: keyring.current };
  } catch {
    throw new OpenError();
  }
}
