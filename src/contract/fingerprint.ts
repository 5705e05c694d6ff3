const FORM = /^k_[A-Za-z0-9_-]{16}$/;
const BITS = 96;

/** Whether a key's id is of the form that {@link fingerprint} gives. Ids of before (`k1`) say nothing of their key. */
export function isFingerprint(id: string): boolean {
  return FORM.test(id);
}

/**
 * A key's id: `k_` and 96 bits that are derived from it, so that two keys never share an id and a key that is not the
 * one its id says is found when it is imported. It tells nothing of the key.
 *
 * @param material The key, as one that HKDF derives from (RFC 5869).
 */
export async function fingerprint(material: CryptoKey): Promise<string> {
  const bits = new Uint8Array(await crypto.subtle.deriveBits(derivationOf("key id"), material, BITS));
  // The command line makes keys too, and Node 20 has no `toBase64`. Twelve bytes need no padding.
  return `k_${btoa(String.fromCharCode(...bits))
    .replaceAll("+", "-")
    .replaceAll("/", "_")}`;
}

/** How what is for one purpose is derived from a key of the keyring. */
export function derivationOf(purpose: string) {
  return { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: new TextEncoder().encode(`keyhole/v1 ${purpose}`) };
}
