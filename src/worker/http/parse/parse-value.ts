import { invalid, Problem } from "../../../contract/problem.ts";
import { type Encoding, MAX_VALUE_BYTES } from "../../../contract/secret.ts";
import type { SecretValue } from "../../secrets/change.ts";

/**
 * The bytes of a value as JSON carries it.
 *
 * @throws {Problem} `invalid-request` when it is empty or not standard base64, `value-too-large`.
 */
export function parseValue(text: string, encoding: Encoding): SecretValue {
  return checkSize({ bytes: encoding === "utf8" ? new TextEncoder().encode(text) : fromBase64(text), encoding }, "/value");
}

/**
 * The value in a raw body: text, or bytes.
 *
 * @throws {Problem} `invalid-request` when it is empty or text that is not UTF-8, `value-too-large`,
 *   `unsupported-media-type` when it is text in another character set.
 */
export function parseRawValue(bytes: Uint8Array, contentType: string): SecretValue {
  if (!/^text\/plain/i.test(contentType)) return checkSize({ bytes, encoding: "base64" }, "");
  requireText(bytes, contentType);
  return checkSize({ bytes, encoding: "utf8" }, "");
}

/**
 * The text of a body that is UTF-8, without the byte order mark that may stand before it.
 *
 * @throws {Problem} `invalid-request`, or `unsupported-media-type` when it says that it is in another character set.
 */
export function requireText(bytes: Uint8Array, contentType: string): string {
  const [, charset] = /;\s*charset="?([^";\s]+)"?/i.exec(contentType) ?? [];
  if (charset !== undefined && !/^(utf-8|utf8|us-ascii)$/i.test(charset))
    throw new Problem("unsupported-media-type", "Text is taken as UTF-8; send other bytes as application/octet-stream, or as base64 in JSON.");
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw invalid("", "the text is not UTF-8; send bytes as application/octet-stream, or as base64 in JSON");
  }
}

function checkSize(value: SecretValue, pointer: string): SecretValue {
  if (value.bytes.length === 0) throw invalid(pointer, "a value has 1 to 65,536 bytes");
  requireShort(value);
  return value;
}

/** @throws {Problem} `value-too-large`. */
export function requireShort({ bytes }: SecretValue): void {
  if (bytes.length > MAX_VALUE_BYTES) throw new Problem("value-too-large", "A value has at most 65,536 bytes.");
}

function fromBase64(text: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
  } catch {
    throw invalid("/value", "the value is not standard base64 with padding");
  }
}
