import { derivationOf } from "../../contract/fingerprint.ts";

/** The keys that are derived from one key of the keyring, one for each purpose. Non-extractable. */
export interface MacKeys {
  /** Seals rows of D1 (HMAC-SHA-256). */
  readonly rows: CryptoKey;
  /** Stands in for names outside D1, where they are nobody's to read (HMAC-SHA-256). */
  readonly names: CryptoKey;
  /** Encrypts what is kept of rows outside D1 (AES-256-GCM). */
  readonly inventory: CryptoKey;
}

/**
 * The keys that are derived from a key for its other purposes.
 *
 * @param material The key, as one that HKDF derives from (RFC 5869).
 */
export async function macKeys(material: CryptoKey): Promise<MacKeys> {
  const [rows, names, inventory] = await Promise.all([
    derive(material, "row seals", HMAC, ["sign", "verify"]),
    derive(material, "names", HMAC, ["sign", "verify"]),
    derive(material, "inventory", AES_GCM, ["encrypt", "decrypt"]),
  ]);
  return { rows, names, inventory };
}

const HMAC = { name: "HMAC", hash: "SHA-256", length: 256 };
const AES_GCM = { name: "AES-GCM", length: 256 };

function derive(material: CryptoKey, purpose: string, algorithm: typeof HMAC | typeof AES_GCM, usages: string[]): Promise<CryptoKey> {
  return crypto.subtle.deriveKey(derivationOf(purpose), material, algorithm, false, usages);
}
