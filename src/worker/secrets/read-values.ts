import { Problem, storageUnavailable } from "../../contract/problem.ts";
import { type Encoding, MAX_VALUE_BYTES } from "../../contract/secret.ts";
import type { Binding } from "../envelope/binding.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { KeyMissingError, OpenError, open } from "../envelope/open.ts";
import { readCiphertexts } from "../store/ciphertexts.ts";
import type { SealedValue, StoredValue } from "../store/secret-rows.ts";

/** What reading values needs. */
export interface ReadNeeds {
  readonly kv: KVNamespace;
  readonly keyring: Keyring;
  /** Whether values that are still as another store had them may be read. */
  readonly legacyPlaintext: boolean;
}

/** A stored value, and what it is bound to. */
export type BoundValue = StoredValue & { readonly binding: Binding; readonly encoding: Encoding };

/**
 * Reads and opens values: inline copies as they are, the others from KV in one bulk read, all opened in parallel.
 * The result has the order of `values`.
 *
 * @throws {Problem} `storage-unavailable` when a ciphertext or its key is not there now, or a legacy value may not be
 *   read; `internal` when one does not open.
 */
export async function readValues(needs: ReadNeeds, values: readonly BoundValue[]): Promise<Uint8Array[]> {
  const elsewhere = values.flatMap((value) => (value.legacy_plaintext === null && value.ciphertext === null ? [value.kv_key] : []));
  const fromKv = elsewhere.length > 0 ? await readCiphertexts(needs.kv, elsewhere) : new Map<string, string>();
  return Promise.all(
    values.map((value) =>
      value.legacy_plaintext === null ? openValue(needs.keyring, value, value.ciphertext ?? fromKv.get(value.kv_key)) : readLegacy(needs, value),
    ),
  );
}

/** The rows with the ciphertexts that KV has, in one bulk read. Those that cannot be read now stay as they are. */
export async function inlineCiphertexts<T extends StoredValue>(kv: KVNamespace, rows: readonly T[]): Promise<T[]> {
  const elsewhere = rows.flatMap((row) => (row.legacy_plaintext === null && row.ciphertext === null ? [row.kv_key] : []));
  const fromKv = elsewhere.length > 0 ? await readCiphertexts(kv, elsewhere).catch(() => new Map<string, string>()) : new Map<string, string>();
  return rows.map((row) => (row.legacy_plaintext === null ? { ...row, ciphertext: row.ciphertext ?? fromKv.get(row.kv_key) ?? null } : row));
}

/** The bytes of a legacy value, or `undefined` when they are not what a value can be. */
export function valueOfLegacy(text: string, encoding: Encoding): Uint8Array | undefined {
  try {
    const bytes = encoding === "utf8" ? new TextEncoder().encode(text) : Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
    return bytes.length > 0 && bytes.length <= MAX_VALUE_BYTES ? bytes : undefined;
  } catch {
    return undefined;
  }
}

function readLegacy({ legacyPlaintext }: ReadNeeds, { binding, encoding, legacy_plaintext }: BoundValue & { readonly legacy_plaintext: string }): Uint8Array {
  const what = describe(binding);
  if (!legacyPlaintext) throw storageUnavailable(`The value of ${what} is still as another store had it; it is read once LEGACY_PLAINTEXT is set to read.`);
  const bytes = valueOfLegacy(legacy_plaintext, encoding);
  if (!bytes) throw new Problem("internal", `The legacy value of ${what} is not a value.`);
  return bytes;
}

async function openValue(keyring: Keyring, value: SealedValue & { readonly binding: Binding }, ciphertext: string | undefined): Promise<Uint8Array> {
  const { binding, key_id, wrapped_key } = value;
  const what = describe(binding);
  // A committed version is never "not found": its ciphertext is on its way to this location.
  if (ciphertext === undefined) throw storageUnavailable(`The value of ${what} is not available here yet.`);
  try {
    return await open(keyring, binding, { ciphertext, wrappedKey: wrapped_key, keyId: key_id });
  } catch (error) {
    if (error instanceof KeyMissingError) throw storageUnavailable(`The value of ${what} is under the key ${error.keyId}, which is not in the keyring.`, error);
    if (error instanceof OpenError) throw new Problem("internal", `The stored value of ${what} did not open.`, { cause: error });
    throw error;
  }
}

function describe({ name, scope, version }: Binding): string {
  return `${name} in ${scope}, version ${version}`;
}
