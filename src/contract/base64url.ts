/** Base64url without padding, RFC 4648 section 5. */
export function toBase64url(bytes: Uint8Array | ArrayBuffer): string {
  return new Uint8Array(bytes as ArrayBuffer).toBase64({ alphabet: "base64url", omitPadding: true });
}

/**
 * The bytes of base64url without padding; one text for each sequence of bytes, so nothing but the canonical form
 * is taken. Throws a `SyntaxError` on anything else.
 */
export function fromBase64url(text: string): Uint8Array {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw new SyntaxError("not base64url");
  const padded = text.padEnd(Math.ceil(text.length / 4) * 4, "=");
  return Uint8Array.fromBase64(padded, { alphabet: "base64url", lastChunkHandling: "strict" });
}
