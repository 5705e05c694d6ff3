import * as z from "zod";
import { fingerprint, isFingerprint, type MacKeys, macKeys } from "./derived-keys.ts";

/** The deployment's keys, by id, in the order in which they came. All are non-extractable. */
export interface Keyring {
  /** Under which new data keys are wrapped, and new seals made. */
  readonly current: string;
  /** What wraps data keys (AES-KW). */
  readonly keys: ReadonlyMap<string, CryptoKey>;
  /** What comes of each key beside that: see {@link MacKeys}. */
  readonly macs: ReadonlyMap<string, MacKeys>;
  /** Whether a row without a seal is refused. Before `keyhole admin seal` is through it is taken as it is. */
  readonly sealsRequired: boolean;
  /** The keys whose seals count. Those of a key that came before `seals_from` do not: whoever has it could have made them. */
  readonly sealing: ReadonlySet<string>;
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
  seals: z.literal("required").optional(),
  seals_from: z.string().optional(),
});

/**
 * Opens the keyring.
 *
 * @param rootKey 256 bits, base64 (RFC 4648, section 4).
 * @param keyring `{"current": "<id>", "keys": {"<id>": "<base64>"}, "seals": "required", "seals_from": "<id>"}`, the last
 *   two optional, each key 256 bits wrapped under the root key with AES-KW (RFC 3394), the oldest first.
 * @throws {KeyringError} when either is not of that form, or a key does not unwrap under the root key, or is not the one
 *   that its id is the fingerprint of.
 */
export async function importKeyring(rootKey: string | undefined, keyring: string | undefined): Promise<Keyring> {
  const root = await importRootKey(rootKey);
  const { current, keys, seals, seals_from = Object.keys(keys)[0] } = parseKeyring(keyring);
  const opened = await Promise.all(Object.entries(keys).map(([id, wrapped]) => openKey(root, id, wrapped)));
  const ids = opened.map(({ id }) => id);
  return {
    current,
    keys: new Map(opened.map(({ id, key }) => [id, key])),
    macs: new Map(opened.map(({ id, macs }) => [id, macs])),
    sealsRequired: seals === "required",
    sealing: new Set(ids.slice(ids.indexOf(seals_from ?? ""))),
  };
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
  const { current, keys, seals_from = current } = parsed.data;
  if (!Object.hasOwn(keys, current)) throw new KeyringError("KEYRING has no key with the id that it calls current");
  if (!Object.hasOwn(keys, seals_from)) throw new KeyringError("KEYRING has no key with the id that it calls seals_from");
  const ids = Object.keys(keys);
  if (ids.indexOf(current) < ids.indexOf(seals_from)) throw new KeyringError("KEYRING: its current key is older than seals_from");
  return parsed.data;
}

async function openKey(root: CryptoKey, id: string, text: string): Promise<{ id: string; key: CryptoKey; macs: MacKeys }> {
  const wrapped = decode(text, WRAPPED_BYTES);
  if (!wrapped) throw new KeyringError(`KEYRING: the key ${id} is not a wrapped 256-bit key in base64`);
  const [key, material] = await Promise.all([
    crypto.subtle.unwrapKey("raw", wrapped, root, "AES-KW", "AES-KW", false, ["wrapKey", "unwrapKey"]),
    // The same key once more, for other keys to be derived from it: WebCrypto lets a key do one thing.
    crypto.subtle.unwrapKey("raw", wrapped, root, "AES-KW", "HKDF", false, ["deriveKey", "deriveBits"]),
  ]).catch((cause: unknown) => {
    throw new KeyringError(`KEYRING: the key ${id} does not unwrap under ROOT_KEY`, { cause });
  });
  if (isFingerprint(id) && id !== (await fingerprint(material))) throw new KeyringError(`KEYRING: the key ${id} is another one than its id says`);
  return { id, key, macs: await macKeys(material) };
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
