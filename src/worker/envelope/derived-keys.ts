import { derivationOf } from "../../contract/fingerprint.ts";

/** The HMAC-SHA-256 keys that are derived from one key of the keyring, one for each purpose. Non-extractable. */
export interface MacKeys {
  /** Seals rows of D1. */
  readonly rows: CryptoKey;
  /** Stands in for names outside D1, where they are nobody's to read. */
  readonly names: CryptoKey;
}

/**
 * The keys that are derived from a key for its other purposes.
 *
 * @param material The key, as one that HKDF derives from (RFC 5869).
 */
export async function macKeys(material: CryptoKey): Promise<MacKeys> {
  const [rows, names] = await Promise.all([derive(material, "row seals"), derive(material, "names")]);
  return { rows, names };
}

function derive(material: CryptoKey, purpose: string): Promise<CryptoKey> {
  return crypto.subtle.deriveKey(derivationOf(purpose), material, { name: "HMAC", hash: "SHA-256", length: 256 }, false, ["sign", "verify"]);
}
