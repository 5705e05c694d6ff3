import { fingerprint } from "../contract/fingerprint.ts";

/** A key of the keyring as `KEYRING` has it: by its id, wrapped under the root key with AES-KW (RFC 3394), in base64. */
export interface WrappedKey {
  readonly id: string;
  readonly wrapped: string;
}

/** The root key as text, and as a key that wraps. */
export interface RootKey {
  readonly text: string;
  readonly key: CryptoKey;
}

/** A new root key: 256 random bits. */
export function newRootKey(): Promise<RootKey> {
  return importRootKey(Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64"));
}

/** The root key that is written in `text`, base64. */
export async function importRootKey(text: string): Promise<RootKey> {
  return { text, key: await crypto.subtle.importKey("raw", Buffer.from(text, "base64"), "AES-KW", false, ["wrapKey", "unwrapKey"]) };
}

/** A new key of the keyring: 256 random bits. Its id is its fingerprint. */
export async function newWrappedKey({ key: root }: RootKey): Promise<WrappedKey> {
  const key = await importAesKw(crypto.getRandomValues(new Uint8Array(32)));
  return { id: await idOf(key), wrapped: await wrap(root, key) };
}

/** The same key under another root key. */
export async function rewrapKey(from: RootKey, to: RootKey, wrapped: string): Promise<string> {
  return wrap(to.key, await unwrap(from, wrapped));
}

/** The fingerprint of a wrapped key. Throws when it does not unwrap. */
export async function fingerprintOf(root: RootKey, wrapped: string): Promise<string> {
  return idOf(await unwrap(root, wrapped));
}

function importAesKw(bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", bytes, "AES-KW", true, ["wrapKey", "unwrapKey"]);
}

function unwrap({ key: root }: RootKey, wrapped: string): Promise<CryptoKey> {
  return crypto.subtle.unwrapKey("raw", Buffer.from(wrapped, "base64"), root, "AES-KW", "AES-KW", true, ["wrapKey"]);
}

async function wrap(root: CryptoKey, key: CryptoKey): Promise<string> {
  return Buffer.from(await crypto.subtle.wrapKey("raw", key, root, "AES-KW")).toString("base64");
}

async function idOf(key: CryptoKey): Promise<string> {
  const bytes = await crypto.subtle.exportKey("raw", key);
  return fingerprint(await crypto.subtle.importKey("raw", bytes, "HKDF", false, ["deriveBits"]));
}
