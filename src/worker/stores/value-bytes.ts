/** A value as text, if it is some (UTF-8, a byte order mark included); `undefined` for any other bytes. */
export function textOf(value: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(value);
  } catch {
    return undefined;
  }
}

/** The bytes of a text. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new TextEncoder().encode(text));
}

/** The bytes of standard base64 (RFC 4648, section 4); `undefined` for anything else. */
export function bytesOfBase64(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return new Uint8Array(Uint8Array.fromBase64(base64, { lastChunkHandling: "strict" }));
  } catch {
    return undefined;
  }
}
