import { fromBase64url } from "../../contract/base64url.ts";

/** Whether a data key was wrapped under `key`. AES-KW has an integrity check (RFC 3394, section 2.2.3): by chance it does not pass. */
export async function unwraps(key: CryptoKey, wrappedKey: string): Promise<boolean> {
  try {
    await crypto.subtle.unwrapKey("raw", fromBase64url(wrappedKey), key, "AES-KW", "AES-GCM", false, ["decrypt"]);
    return true;
  } catch {
    return false;
  }
}
