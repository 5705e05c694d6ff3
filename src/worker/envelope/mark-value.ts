import { toBase64url } from "../../contract/base64url.ts";
import type { Keyring } from "./keyring.ts";
import { KeyMissingError } from "./open.ts";

const PURPOSE = "value of a store ";

/** Stands for a value where two have to be told apart and neither may be guessed: an HMAC-SHA-256 under the current key, in base64url. */
export async function markValue({ macs, current }: Pick<Keyring, "macs" | "current">, value: Uint8Array): Promise<string> {
  const key = macs.get(current)?.names;
  if (!key) throw new KeyMissingError(current);
  return toBase64url(await crypto.subtle.sign("HMAC", key, new Uint8Array([...new TextEncoder().encode(PURPOSE), ...value])));
}
