import { Problem, storageUnavailable } from "../../contract/problem.ts";
import { type Encoding, MAX_VALUE_BYTES } from "../../contract/secret.ts";
import type { Binding } from "../envelope/binding.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { KeyMissingError, OpenError, open } from "../envelope/open.ts";
import { readCiphertexts } from "../store/ciphertexts.ts";
import type { StoredValue, ValueKind } from "../store/version-columns.ts";

/** What reading values needs. */
export interface ReadNeeds {
  readonly kv: KVNamespace;
  readonly keyring: Keyring;
  /** Whether values that are still as another store had them may be read. */
  readonly legacyPlaintext: boolean;
}

/** A value as it is stored, and what it is bound to. */
export type BoundValue = StoredValue & { readonly binding: Binding; readonly encoding: Encoding };
type BoundOf<Kind extends ValueKind> = Extract<BoundValue, { readonly kind: Kind }>;

/** Reads values of one kind. The result has the order of `values`. */
type Reader<Kind extends ValueKind> = (needs: ReadNeeds, values: readonly BoundOf<Kind>[]) => Promise<Uint8Array[]>;

/** How each kind of value is read. */
const READERS: { readonly [Kind in ValueKind]: Reader<Kind> } = {
  sealed: readSealed,
  plaintext: readPlaintexts,
};

/**
 * Reads and opens values, those of each kind together. Each comes with its bytes, in the order of `values`.
 *
 * @throws {Problem} `storage-unavailable` when a ciphertext or its key is not there now, or a plaintext value may not be
 *   read; `internal` when one does not open, or is of no kind that can be read.
 */
export async function readValues<T extends BoundValue>(needs: ReadNeeds, values: readonly T[]): Promise<(readonly [T, Uint8Array])[]> {
  const groups = [...Map.groupBy(values, ({ kind }) => kind).values()];
  const read = await Promise.all(groups.map((group) => readGroup(needs, group)));
  const bytes = new Map(groups.flatMap((group, g) => group.map((value, n) => [value, read[g]?.[n]] as const)));
  return values.map((value) => [value, bytes.get(value) ?? notRead(value)]);
}

/** Reads and opens one value; see {@link readValues}. */
export async function readValue(needs: ReadNeeds, value: BoundValue): Promise<Uint8Array> {
  const [read] = await readValues(needs, [value]);
  return read?.[1] ?? notRead(value);
}

/** The rows with the ciphertexts that KV has, in one bulk read. Those that cannot be read now stay as they are. */
export async function inlineCiphertexts<T extends StoredValue>(kv: KVNamespace, rows: readonly T[]): Promise<T[]> {
  const fromKv = await readFromKv(kv, rows).catch(() => new Map<string, string>());
  return rows.map((row) => (row.kind === "sealed" ? { ...row, ciphertext: row.ciphertext ?? fromKv.get(row.kv_key) ?? null } : row));
}

/** The bytes of a plaintext value, or `undefined` when they are not what a value can be. */
export function bytesOfPlaintext(text: string, encoding: Encoding): Uint8Array | undefined {
  try {
    const bytes = encoding === "utf8" ? new TextEncoder().encode(text) : Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
    return bytes.length > 0 && bytes.length <= MAX_VALUE_BYTES ? bytes : undefined;
  } catch {
    return undefined;
  }
}

async function readGroup(needs: ReadNeeds, group: readonly BoundValue[]): Promise<Uint8Array[]> {
  const [value] = group;
  if (!value) return [];
  if (!Object.hasOwn(READERS, value.kind)) throw new Problem("internal", `The stored value of ${versionName(value)} is of no kind that can be read.`);
  return (READERS[value.kind] as Reader<ValueKind>)(needs, group);
}

async function readSealed({ kv, keyring }: ReadNeeds, values: readonly BoundOf<"sealed">[]): Promise<Uint8Array[]> {
  const fromKv = await readFromKv(kv, values);
  return Promise.all(values.map((value) => openSealed(keyring, value, value.ciphertext ?? fromKv.get(value.kv_key))));
}

/** The ciphertexts that are not inline, in one bulk read. */
async function readFromKv(kv: KVNamespace, values: readonly StoredValue[]): Promise<ReadonlyMap<string, string>> {
  const keys = values.flatMap((value) => (value.kind === "sealed" && value.ciphertext === null ? [value.kv_key] : []));
  return keys.length === 0 ? new Map() : readCiphertexts(kv, keys);
}

async function openSealed(keyring: Keyring, value: BoundOf<"sealed">, ciphertext: string | undefined): Promise<Uint8Array> {
  const { binding, key_id, wrapped_key } = value;
  const what = versionName(value);
  // A committed version is never "not found": its ciphertext is on its way to this location.
  if (ciphertext === undefined) throw storageUnavailable(`The value of ${what} is not available here yet.`);
  try {
    return await open(keyring, binding, { ciphertext, wrappedKey: wrapped_key, keyId: key_id });
  } catch (error) {
    if (error instanceof KeyMissingError)
      throw storageUnavailable(`The value of ${what} is under the key ${error.keyId}, which is not in the keyring, or not usable.`, error);
    if (error instanceof OpenError) throw new Problem("internal", `The stored value of ${what} did not open.`, { cause: error });
    throw error;
  }
}

async function readPlaintexts({ keyring, legacyPlaintext }: ReadNeeds, values: readonly BoundOf<"plaintext">[]): Promise<Uint8Array[]> {
  return values.map((value) => {
    const what = versionName(value);
    if (keyring.sealsRequired) throw new Problem("integrity-failed", `The value of ${what} is plaintext, which nothing of Keyhole's own writes.`);
    if (!legacyPlaintext) throw storageUnavailable(`The value of ${what} is still as another store had it; it is read once LEGACY_PLAINTEXT is set to read.`);
    const bytes = bytesOfPlaintext(value.legacy_plaintext, value.encoding);
    if (!bytes) throw new Problem("internal", `The legacy value of ${what} is not a value.`);
    return bytes;
  });
}

function versionName({ binding: { name, scope, version } }: { readonly binding: Binding }): string {
  return `${name} in ${scope}, version ${version}`;
}

function notRead(value: BoundValue): never {
  throw new Error(`the value of ${versionName(value)} was not read`);
}
