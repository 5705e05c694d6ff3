import type { Value } from "./types/secrets.ts";

/** A value as JSON bodies carry it: text, or standard base64 of bytes. */
export function valueFields(value: Value): { value: string; encoding: "utf8" | "base64" } {
  return typeof value === "string" ? { value, encoding: "utf8" } : { value: toBase64(value), encoding: "base64" };
}

/** Standard base64 with padding (RFC 4648, section 4), in every runtime. */
function toBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}
