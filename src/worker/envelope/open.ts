import { fromBase64url } from "../../contract/base64url.ts";
import { type ArchiveBinding, associatedData, type Binding, type EnvelopeFormat } from "./binding.ts";
import type { Keyring } from "./keyring.ts";
import { type Envelope, IV_BYTES, TAG_BYTES } from "./seal.ts";

/** A sealed value did not open. It says nothing of the reason: a wrong key, place or byte all look the same. */
export class OpenError extends Error {
  override readonly name = "OpenError";
  constructor() {
    super("a sealed value did not open");
  }
}

/** A sealed value is under a key that the keyring does not hold (any more). */
export class KeyMissingError extends Error {
  override readonly name = "KeyMissingError";
  constructor(readonly keyId: string) {
    super(`the keyring has no key ${keyId}`);
  }
}

const FORM = /^(v1|v2):([A-Za-z0-9_-]{16}):([A-Za-z0-9_-]{22}):([A-Za-z0-9_-]*)$/;

/** An envelope whose text has been read: what opening takes, in bytes. */
export interface ParsedEnvelope {
  readonly keyId: string;
  readonly wrappedKey: Uint8Array;
  readonly iv: Uint8Array;
  /** The ciphertext with its tag at the end, as WebCrypto takes it. */
  readonly body: Uint8Array;
  readonly additionalData: Uint8Array;
}

/**
 * Decrypts what {@link seal} made for the same binding.
 *
 * @throws {KeyMissingError} when the keyring lacks the key it is wrapped under.
 * @throws {OpenError} when it does not open, whatever the reason.
 */
export async function open(keyring: Keyring, binding: Binding | ArchiveBinding, envelope: Envelope): Promise<Uint8Array> {
  if (!keyring.keys.has(envelope.keyId)) throw new KeyMissingError(envelope.keyId);
  return openParsed(keyring, parseEnvelope(binding, envelope));
}

/**
 * Reads the text of an envelope once, for what is opened again and again.
 *
 * @throws {OpenError} when it is not of that form.
 */
export function parseEnvelope(binding: Binding | ArchiveBinding, { ciphertext, wrappedKey, keyId }: Envelope): ParsedEnvelope {
  try {
    const { format, iv, body } = parse(ciphertext);
    return { keyId, wrappedKey: fromBase64url(wrappedKey), iv, body, additionalData: associatedData(format, binding) };
  } catch {
    throw new OpenError();
  }
}

/** {@link open}, of an envelope that has been read. */
export async function openParsed(keyring: Keyring, { keyId, wrappedKey, iv, body, additionalData }: ParsedEnvelope): Promise<Uint8Array> {
  const wrappingKey = keyring.keys.get(keyId);
  if (!wrappingKey) throw new KeyMissingError(keyId);
  try {
    const dataKey = await crypto.subtle.unwrapKey("raw", wrappedKey, wrappingKey, "AES-KW", "AES-GCM", false, ["decrypt"]);
    return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData, tagLength: TAG_BYTES * 8 }, dataKey, body));
  } catch {
    throw new OpenError();
  }
}

/** What stands before the encrypted bytes of a ciphertext, in characters: the format, the IV and the tag, with their colons. */
const HEAD = "v2:".length + 16 + ":".length + 22 + ":".length;

/** How many bytes the value in a ciphertext has: AES-GCM does not change the length, and base64url has four characters for three bytes. */
export function sizeOfSealed(ciphertext: string): number {
  return Math.max(0, Math.floor(((ciphertext.length - HEAD) * 3) / 4));
}

function parse(text: string): { format: EnvelopeFormat; iv: Uint8Array; body: Uint8Array } {
  const [, format, iv, tag, ciphertext] = FORM.exec(text) ?? [];
  if (iv === undefined || tag === undefined || ciphertext === undefined) throw new OpenError();
  const encrypted = fromBase64url(ciphertext);
  const body = new Uint8Array(encrypted.length + TAG_BYTES);
  body.set(encrypted);
  body.set(fromBase64url(tag), encrypted.length);
  const ivBytes = fromBase64url(iv);
  if (ivBytes.length !== IV_BYTES) throw new OpenError();
  return { format: format as EnvelopeFormat, iv: ivBytes, body };
}
