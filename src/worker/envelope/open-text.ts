import { fromBase64url } from "../../contract/base64url.ts";
import type { Keyring } from "./keyring.ts";
import { boundTo } from "./seal-text.ts";

const FORM = /^t1:([A-Za-z0-9._-]{1,64}):([A-Za-z0-9_-]+)$/;
const NONCE = 12;

/** The text that was sealed under a name; `undefined` when this is none, or its key is not in the keyring. */
export async function openText({ macs }: Keyring, name: string, sealed: string): Promise<string | undefined> {
  const [, id = "", data = ""] = FORM.exec(sealed) ?? [];
  const key = macs.get(id)?.inventory;
  if (!key) return undefined;
  try {
    const bytes = fromBase64url(data);
    const opened = await crypto.subtle.decrypt({ name: "AES-GCM", iv: bytes.subarray(0, NONCE), additionalData: boundTo(name) }, key, bytes.subarray(NONCE));
    return new TextDecoder().decode(opened);
  } catch {
    // Somebody else's, or bent: whoever reads it is told that it is not there.
    return undefined;
  }
}

/** The id of the key that a sealed text says it is under; `undefined` when it is none. */
export function keyIdOfText(sealed: string): string | undefined {
  return FORM.exec(sealed)?.[1];
}

/** Whether a sealed text is under the current key. */
export function isCurrentText({ current }: Keyring, sealed: string): boolean {
  return sealed.startsWith(`t1:${current}:`);
}
