import { toBase64url } from "../../contract/base64url.ts";
import { type ArchiveBinding, associatedData, type Binding } from "./binding.ts";
import type { Keyring } from "./keyring.ts";

/** A sealed value (envelope encryption): the ciphertext, and the data key that opens it, wrapped under the keyring's key `keyId`. */
export interface Envelope {
  /** `v2:<iv>:<tag>:<ciphertext>`, base64url without padding. */
  readonly ciphertext: string;
  /** 256 bits wrapped with AES-KW (RFC 3394): 40 bytes, base64url without padding. */
  readonly wrappedKey: string;
  readonly keyId: string;
}

/** The length of an AES-GCM tag here, in bytes: the longest there is. */
export const TAG_BYTES = 16;
/** The length of an AES-GCM initialization vector here, in bytes (NIST SP 800-38D, section 8.2.2). */
export const IV_BYTES = 12;

/**
 * Encrypts a value, or an archived part of a log, with AES-256-GCM (NIST SP 800-38D) under a data key of its own, and wraps that key under the
 * keyring's current one. The data key encrypts once and is then forgotten, so its IV can never repeat.
 */
export async function seal(keyring: Keyring, binding: Binding | ArchiveBinding, value: Uint8Array): Promise<Envelope> {
  const dataKey = (await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt"])) as CryptoKey;
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const [encrypted, wrapped] = await Promise.all([
    crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: associatedData("v2", binding), tagLength: TAG_BYTES * 8 }, dataKey, value),
    crypto.subtle.wrapKey("raw", dataKey, wrappingKey(keyring), "AES-KW"),
  ]);
  const split = encrypted.byteLength - TAG_BYTES;
  const parts = [iv, encrypted.slice(split), encrypted.slice(0, split)].map(toBase64url);
  return { ciphertext: ["v2", ...parts].join(":"), wrappedKey: toBase64url(wrapped), keyId: keyring.current };
}

function wrappingKey(keyring: Keyring): CryptoKey {
  const key = keyring.keys.get(keyring.current);
  if (!key) throw new Error("the keyring has no current key");
  return key;
}
