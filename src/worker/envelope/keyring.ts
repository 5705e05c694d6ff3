import * as z from "zod";

/** The keys that wrap data keys, by id. All are non-extractable AES-KW keys; new versions go under `current`. */
export interface Keyring {
  readonly current: string;
  readonly keys: ReadonlyMap<string, CryptoKey>;
}

/** A Worker secret that is missing or malformed. The message names the secret and never shows any of it. */
export class KeyringError extends Error {
  override readonly name = "KeyringError";
}

const KEY_BYTES = 32;
const WRAPPED_BYTES = KEY_BYTES + 8;

const keyringSchema = z.strictObject({
  current: z.string(),
  keys: z.record(z.string().regex(/^[A-Za-z0-9._-]{1,64}$/), z.string()),
});

/**
 * Opens the keyring.
 *
 * @param rootKey 256 bits, base64 (RFC 4648, section 4).
 * @param keyring `{"current": "<id>", "keys": {"<id>": "<base64>"}}`, each key 256 bits wrapped under the root key
 *   with AES-KW (RFC 3394).
 * @throws {KeyringError} when either is not of that form, or a key does not unwrap under the root key.
 */
export async function importKeyring(rootKey: string | undefined, keyring: string | undefined): Promise<Keyring> {
  const root = await importRootKey(rootKey);
  const { current, keys } = parseKeyring(keyring);
  const opened = await Promise.all(Object.entries(keys).map(async ([id, wrapped]) => [id, await unwrapKey(root, id, wrapped)] as const));
  return { current, keys: new Map(opened) };
}

async function importRootKey(text: string | undefined): Promise<CryptoKey> {
  if (!text) throw new KeyringError("ROOT_KEY is not set");
  const bytes = decode(text, KEY_BYTES);
  if (!bytes) throw new KeyringError("ROOT_KEY is not 256 bits of base64");
  return crypto.subtle.importKey("raw", bytes, "AES-KW", false, ["unwrapKey"]);
}

function parseKeyring(text: string | undefined): z.infer<typeof keyringSchema> {
  if (!text) throw new KeyringError("KEYRING is not set");
  const parsed = keyringSchema.safeParse(parseJson(text));
  if (!parsed.success) throw new KeyringError('KEYRING is not {"current": "<id>", "keys": {"<id>": "<base64>"}}');
  if (!Object.hasOwn(parsed.data.keys, parsed.data.current)) throw new KeyringError("KEYRING has no key with the id that it calls current");
  return parsed.data;
}

async function unwrapKey(root: CryptoKey, id: string, text: string): Promise<CryptoKey> {
  const wrapped = decode(text, WRAPPED_BYTES);
  if (!wrapped) throw new KeyringError(`KEYRING: the key ${id} is not a wrapped 256-bit key in base64`);
  return crypto.subtle.unwrapKey("raw", wrapped, root, "AES-KW", "AES-KW", false, ["wrapKey", "unwrapKey"]).catch((cause: unknown) => {
    throw new KeyringError(`KEYRING: the key ${id} does not unwrap under ROOT_KEY`, { cause });
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function decode(text: string, length: number): Uint8Array<ArrayBuffer> | undefined {
  try {
    const bytes = Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
    return bytes.length === length ? bytes : undefined;
  } catch {
    return undefined;
  }
}
