import { importKeyring } from "../src/worker/envelope/keyring.ts";
import { newRootKey, newWrappedKey } from "./make-secrets.ts";

type KeyringText = { readonly current: string; readonly keys: Readonly<Record<string, string>> };

/**
 * `KEYRING` with a new current key. The other keys stay, so what is under them still opens.
 *
 * @throws {KeyringError} when the two secrets are not usable as they are.
 */
export async function rotateKeyring(rootKey: string | undefined, keyring: string | undefined): Promise<string> {
  const { root, keys } = await read(rootKey, keyring);
  const id = nextId(Object.keys(keys));
  return JSON.stringify({ current: id, keys: { ...keys, [id]: await newWrappedKey(root) } });
}

/**
 * The same keyring under a new root key. The keys in it stay the same, so no data changes.
 *
 * @throws {KeyringError} when the two secrets are not usable as they are.
 */
export async function rewrapRoot(rootKey: string | undefined, keyring: string | undefined): Promise<{ ROOT_KEY: string; KEYRING: string }> {
  const { root, current, keys } = await read(rootKey, keyring);
  const fresh = newRootKey();
  const [from, to] = await Promise.all([importRoot(root, "unwrapKey"), importRoot(fresh, "wrapKey")]);
  const entries = Object.entries(keys).map(async ([id, wrapped]) => [id, await rewrap(from, to, wrapped)] as const);
  return { ROOT_KEY: Buffer.from(fresh).toString("base64"), KEYRING: JSON.stringify({ current, keys: Object.fromEntries(await Promise.all(entries)) }) };
}

async function read(rootKey = "", keyring = ""): Promise<KeyringText & { root: Uint8Array<ArrayBuffer> }> {
  // The Worker's own check: what it would refuse is not built upon.
  await importKeyring(rootKey, keyring);
  return { ...(JSON.parse(keyring) as KeyringText), root: Uint8Array.from(Buffer.from(rootKey, "base64")) };
}

/** `k3` after `k1` and `k2`; never an id that is there. */
function nextId(ids: readonly string[]): string {
  const numbers = ids.map((id) => Number(/^k(\d{1,9})$/.exec(id)?.[1] ?? 0));
  return `k${Math.max(0, ...numbers) + 1}`;
}

function importRoot(bytes: Uint8Array<ArrayBuffer>, usage: "wrapKey" | "unwrapKey"): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", bytes, "AES-KW", false, [usage]);
}

async function rewrap(from: CryptoKey, to: CryptoKey, wrapped: string): Promise<string> {
  const key = await crypto.subtle.unwrapKey("raw", Buffer.from(wrapped, "base64"), from, "AES-KW", "AES-KW", true, ["wrapKey"]);
  return Buffer.from(await crypto.subtle.wrapKey("raw", key, to, "AES-KW")).toString("base64");
}
