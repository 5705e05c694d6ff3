import type { CompactJWSHeaderParameters } from "jose";
import { toBase64url } from "../../src/contract/base64url.ts";

/** Text in base64url, as a part of a JWT. */
export function part(content: string | object): string {
  return toBase64url(new TextEncoder().encode(typeof content === "string" ? content : JSON.stringify(content)));
}

/** Signs header and payload as they are, without any of the checks that a JWT library makes. */
export async function signRaw(
  header: string | object,
  payload: string | object,
  algorithm: string | SubtleCryptoSignAlgorithm,
  key: CryptoKey,
): Promise<string> {
  const signed = `${part(header)}.${part(payload)}`;
  return `${signed}.${toBase64url(await crypto.subtle.sign(algorithm, key, new TextEncoder().encode(signed)))}`;
}

/** Signs with a shared secret, as the header's `alg` says (`HS256`, `HS384`, `HS512`): what somebody tries who only has the public key. */
export async function signHmac(header: CompactJWSHeaderParameters, payload: object, secret: string | Uint8Array<ArrayBuffer>): Promise<string> {
  const bytes = typeof secret === "string" ? new TextEncoder().encode(secret) : secret;
  const hash = header.alg.replace("HS", "SHA-");
  const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash }, false, ["sign"]);
  return signRaw(header, payload, "HMAC", key);
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Another spelling of a base64url text whose last character has unused bits. */
export function respell(text: string): string {
  const last = ALPHABET.indexOf(text.at(-1) ?? "");
  return text.slice(0, -1) + ALPHABET[last ^ 1];
}
