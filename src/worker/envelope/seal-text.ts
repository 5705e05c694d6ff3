import { toBase64url } from "../../contract/base64url.ts";
import type { Keyring } from "./keyring.ts";
import { KeyMissingError } from "./open.ts";

/** Bytes of the nonce: random, so that one key is good for 2^32 texts (NIST SP 800-38D, section 8.3). */
const NONCE = 12;

/**
 * Encrypts a text for keeping outside D1 under a name, and for nowhere else: `t1:<key id>:<base64url of nonce and
 * ciphertext>`, AES-256-GCM (NIST SP 800-38D) under a key that is derived from the current one.
 */
export async function sealText({ current, macs }: Keyring, name: string, text: string): Promise<string> {
  const key = macs.get(current)?.inventory;
  if (!key) throw new KeyMissingError(current);
  const iv = crypto.getRandomValues(new Uint8Array(NONCE));
  const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: boundTo(name) }, key, new TextEncoder().encode(text)));
  const bytes = new Uint8Array(NONCE + sealed.length);
  bytes.set(iv);
  bytes.set(sealed, NONCE);
  return `t1:${current}:${toBase64url(bytes)}`;
}

/** What a sealed text is bound to. */
export function boundTo(name: string): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(["keyhole/text", 1, name]));
}
