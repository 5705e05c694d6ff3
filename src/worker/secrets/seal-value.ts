import type { Binding } from "../envelope/binding.ts";
import { seal } from "../envelope/seal.ts";
import type { SealedColumns } from "../store/version-columns.ts";
import type { SealingKeyring } from "../transaction/allow-sealing.ts";
import { newId } from "../transaction/new-id.ts";

/** A value that has just been sealed: its ciphertext is inline, and not in KV yet. */
export type NewlySealed = SealedColumns & { readonly ciphertext: string };

/** Seals a value, as a version's columns hold it. */
export async function sealValue(keyring: SealingKeyring, binding: Binding, bytes: Uint8Array): Promise<NewlySealed> {
  const { ciphertext, wrappedKey, keyId } = await seal(keyring, binding, bytes);
  // The key is random and never used before: nobody can have read it, so no location has cached its absence.
  return { key_id: keyId, wrapped_key: wrappedKey, ciphertext, kv_key: newId("c"), size: bytes.length };
}
