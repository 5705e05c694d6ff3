/** Base64url without padding, RFC 4648 section 5. */
export function toBase64url(bytes: Uint8Array | ArrayBuffer): string {
  const array = new Uint8Array(bytes as ArrayBuffer);
  if ("toBase64" in array) return array.toBase64({ alphabet: "base64url", omitPadding: true });
  // Node has it from 25 on; what runs on 20 encodes a few bytes.
  return btoa(Array.from(array as Uint8Array, (byte) => String.fromCharCode(byte)).join(""))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

/**
 * The bytes of base64url without padding; one text for each sequence of bytes, so nothing but the canonical form
 * is taken. Throws a `SyntaxError` on anything else.
 */
export function fromBase64url(text: string): Uint8Array {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) throw new SyntaxError("not base64url");
  const padded = text.padEnd(Math.ceil(text.length / 4) * 4, "=");
  const runtime: object = Uint8Array;
  if ("fromBase64" in runtime) return Uint8Array.fromBase64(padded, { alphabet: "base64url", lastChunkHandling: "strict" });
  const bytes = Uint8Array.from(atob(padded.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
  if (toBase64url(bytes) !== text) throw new SyntaxError("not base64url in its canonical form");
  return bytes;
}
