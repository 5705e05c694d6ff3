import { Problem } from "../../contract/problem.ts";
import type { Binding } from "../envelope/binding.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { KeyMissingError, OpenError, open } from "../envelope/open.ts";
import { readCiphertexts } from "../store/ciphertexts.ts";
import { storageUnavailable } from "../store/run-batch.ts";
import type { StoredValue } from "../store/secret-rows.ts";

/** A stored value, and what it is bound to. */
export type BoundValue = StoredValue & { readonly binding: Binding };

/**
 * Reads and opens values: inline copies as they are, the others from KV in one bulk read, all opened in parallel.
 * The result has the order of `values`.
 *
 * @throws {Problem} `storage-unavailable` when a ciphertext or its key is not there now; `internal` when one does not open.
 */
export async function readValues(needs: { kv: KVNamespace; keyring: Keyring }, values: readonly BoundValue[]): Promise<Uint8Array[]> {
  const elsewhere = values.filter(({ ciphertext }) => ciphertext === null).map(({ kv_key }) => kv_key);
  const fromKv = elsewhere.length > 0 ? await readCiphertexts(needs.kv, elsewhere) : new Map<string, string>();
  return Promise.all(values.map((value) => openValue(needs.keyring, value, value.ciphertext ?? fromKv.get(value.kv_key))));
}

/** The rows with the ciphertexts that KV has, in one bulk read. Those that cannot be read now stay `null`. */
export async function inlineCiphertexts<T extends StoredValue>(kv: KVNamespace, rows: readonly T[]): Promise<T[]> {
  const elsewhere = rows.filter(({ ciphertext }) => ciphertext === null).map(({ kv_key }) => kv_key);
  const fromKv = elsewhere.length > 0 ? await readCiphertexts(kv, elsewhere).catch(() => new Map<string, string>()) : new Map<string, string>();
  return rows.map((row) => ({ ...row, ciphertext: row.ciphertext ?? fromKv.get(row.kv_key) ?? null }));
}

async function openValue(keyring: Keyring, { binding, key_id, wrapped_key }: BoundValue, ciphertext: string | undefined): Promise<Uint8Array> {
  const what = `${binding.name} in ${binding.scope}, version ${binding.version}`;
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
