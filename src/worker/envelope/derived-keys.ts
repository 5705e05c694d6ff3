import { toBase64url } from "../../contract/base64url.ts";

/** The HMAC-SHA-256 keys that are derived from one key of the keyring, one for each purpose. Non-extractable. */
export interface MacKeys {
  /** Seals rows of D1. */
  readonly rows: CryptoKey;
  /** Stands in for names outside D1, where they are nobody's to read. */
  readonly names: CryptoKey;
}

const FINGERPRINT = /^k_[A-Za-z0-9_-]{16}$/;
const FINGERPRINT_BITS = 96;

/** Whether a key's id is of the form that {@link fingerprint} gives. Ids of before (`k1`) say nothing of their key. */
export function isFingerprint(id: string): boolean {
  return FINGERPRINT.test(id);
}

/**
 * A key's id: `k_` and 96 bits that are derived from it, so that two keys never share an id and a key that is not the
 * one its id says is found when it is imported. It tells nothing of the key.
 *
 * @param material The key, as one that HKDF derives from (RFC 5869).
 */
export async function fingerprint(material: CryptoKey): Promise<string> {
  return `k_${toBase64url(await crypto.subtle.deriveBits(hkdf("key id"), material, FINGERPRINT_BITS))}`;
}

/** The keys that are derived from a key for its other purposes; see {@link fingerprint} for `material`. */
export async function macKeys(material: CryptoKey): Promise<MacKeys> {
  const [rows, names] = await Promise.all([derive(material, "row seals"), derive(material, "names")]);
  return { rows, names };
}

function derive(material: CryptoKey, purpose: string): Promise<CryptoKey> {
  return crypto.subtle.deriveKey(hkdf(purpose), material, { name: "HMAC", hash: "SHA-256", length: 256 }, false, ["sign", "verify"]);
}

function hkdf(purpose: string) {
  return { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: new TextEncoder().encode(`keyhole/v1 ${purpose}`) };
}
