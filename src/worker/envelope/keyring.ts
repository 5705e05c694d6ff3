import { fingerprint, isFingerprint } from "../../contract/fingerprint.ts";
import { KeyringError, parseKeyringText } from "../../contract/keyring-text.ts";
import { type MacKeys, macKeys } from "./derived-keys.ts";

/** The deployment's keys, by id, in the order in which they came. All are non-extractable. */
export interface Keyring {
  /** Under which new data keys are wrapped, and new seals made. */
  readonly current: string;
  /** What wraps data keys (AES-KW). */
  readonly keys: ReadonlyMap<string, CryptoKey>;
  /** What comes of each key beside that and {@link SealingKeys}: see {@link MacKeys}. */
  readonly macs: ReadonlyMap<string, Omit<MacKeys, "rows">>;
  /** What is wrong with the keys that cannot be used, by id. The current one is none of them. */
  readonly faults: ReadonlyMap<string, string>;
  /** Whether a row without a seal is refused. Before `keyhole admin seal` is through it is taken as it is. */
  readonly sealsRequired: boolean;
  readonly seals: SealingKeys;
}

/**
 * What rows are sealed with. A seal names its key by the fingerprint, whatever the key's id: two keys that have had one id
 * are two, and what another one sealed is under a key that is not known here, and not bent.
 */
interface SealingKeys {
  /** The fingerprint of the current key. */
  readonly current: string;
  /** By fingerprint. */
  readonly keys: ReadonlyMap<string, CryptoKey>;
  /** The fingerprints whose seals count. Those of a key that came before `seals_from` do not: whoever has it could have made them. */
  readonly counted: ReadonlySet<string>;
  /** The key's id, by fingerprint. */
  readonly ids: ReadonlyMap<string, string>;
}

const KEY_BYTES = 32;
const WRAPPED_BYTES = KEY_BYTES + 8;

/**
 * Opens the keyring. A key that is not the current one and cannot be used is left out, with what is wrong with it: what is
 * not under it works.
 *
 * @param rootKey 256 bits, base64 (RFC 4648, section 4).
 * @param keyring `{"current": "<id>", "keys": {"<id>": "<base64>"}, "seals": "required", "seals_from": "<id>"}`, the last
 *   two optional; see {@link KeyringText}.
 * @throws {KeyringError} when either is not of that form, or the current key does not unwrap under the root key, or is not
 *   the one that its id is the fingerprint of.
 */
export async function importKeyring(rootKey: string | undefined, keyring: string | undefined): Promise<Keyring> {
  const root = await importRootKey(rootKey);
  const { current, keys, seals, seals_from } = parseKeyringText(keyring);
  const ids = Object.keys(keys);
  const results = await Promise.all(Object.entries(keys).map(([id, wrapped]) => openKey(root, id, wrapped).catch(asFault(id))));
  const fault = results.find(({ id, fault }) => id === current && fault)?.fault;
  if (fault) throw fault;
  const opened = results.filter((result) => "key" in result);
  return {
    current,
    keys: new Map(opened.map(({ id, key }) => [id, key])),
    macs: new Map(opened.map(({ id, macs: { rows: _, ...others } }) => [id, others])),
    faults: new Map(results.flatMap(({ id, fault }) => (fault ? [[id, fault.message] as const] : []))),
    sealsRequired: seals === "required",
    seals: sealingKeys(current, opened, ids.slice(ids.indexOf(seals_from ?? ids[0] ?? ""))),
  };
}

function sealingKeys(current: string, opened: readonly OpenedKey[], counted: readonly string[]): SealingKeys {
  return {
    current: opened.find(({ id }) => id === current)?.mark ?? "",
    keys: new Map(opened.map(({ mark, macs }) => [mark, macs.rows])),
    counted: new Set(opened.filter(({ id }) => counted.includes(id)).map(({ mark }) => mark)),
    ids: new Map(opened.map(({ mark, id }) => [mark, id])),
  };
}

/** A key that cannot be used, and why. */
function asFault(id: string) {
  return (error: unknown): { readonly id: string; readonly fault: KeyringError } => {
    if (error instanceof KeyringError) return { id, fault: error };
    throw error;
  };
}

async function importRootKey(text: string | undefined): Promise<CryptoKey> {
  if (!text) throw new KeyringError("ROOT_KEY is not set");
  const bytes = decode(text, KEY_BYTES);
  if (!bytes) throw new KeyringError("ROOT_KEY is not 256 bits of base64");
  return crypto.subtle.importKey("raw", bytes, "AES-KW", false, ["unwrapKey"]);
}

interface OpenedKey {
  readonly id: string;
  readonly key: CryptoKey;
  readonly macs: MacKeys;
  /** Its fingerprint. */
  readonly mark: string;
  readonly fault?: undefined;
}

async function openKey(root: CryptoKey, id: string, text: string): Promise<OpenedKey> {
  const wrapped = decode(text, WRAPPED_BYTES);
  if (!wrapped) throw new KeyringError(`KEYRING: the key ${id} is not a wrapped 256-bit key in base64`);
  const [key, material] = await Promise.all([
    crypto.subtle.unwrapKey("raw", wrapped, root, "AES-KW", "AES-KW", false, ["wrapKey", "unwrapKey"]),
    // The same key once more, for other keys to be derived from it: WebCrypto lets a key do one thing.
    crypto.subtle.unwrapKey("raw", wrapped, root, "AES-KW", "HKDF", false, ["deriveKey", "deriveBits"]),
  ]).catch((cause: unknown) => {
    throw new KeyringError(`KEYRING: the key ${id} does not unwrap under ROOT_KEY`, { cause });
  });
  const mark = await fingerprint(material);
  if (isFingerprint(id) && id !== mark) throw new KeyringError(`KEYRING: the key ${id} is another one than its id says`);
  return { id, key, macs: await macKeys(material), mark };
}

function decode(text: string, length: number): Uint8Array<ArrayBuffer> | undefined {
  try {
    const bytes = Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
    return bytes.length === length ? bytes : undefined;
  } catch {
    return undefined;
  }
}
