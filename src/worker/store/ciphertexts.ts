import { storageUnavailable } from "./run-batch.ts";
import { withDeadline } from "./with-deadline.ts";

/** How long KV may take, in milliseconds. */
const DEADLINE = 5_000;
/** How long a location may keep its copy, in seconds: keys are never reused, so no copy is ever stale. */
const CACHE_TTL = 86_400;
/** How many keys one KV read may name. */
const KEYS_PER_READ = 100;

/** Puts a ciphertext into KV. The key is random and used once. Rejects when KV fails or does not answer in time. */
export function putCiphertext(kv: KVNamespace, kvKey: string, ciphertext: string): Promise<void> {
  return withDeadline(kv.put(kvKey, ciphertext), DEADLINE);
}

/** Removes a ciphertext from KV. Rejects when KV fails or does not answer in time. */
export function removeCiphertext(kv: KVNamespace, kvKey: string): Promise<void> {
  return withDeadline(kv.delete(kvKey), DEADLINE);
}

/**
 * Reads ciphertexts from KV, in bulk. What KV does not have is not in the result.
 *
 * @throws {Problem} `storage-unavailable` when KV fails or does not answer in time.
 */
export async function readCiphertexts(kv: KVNamespace, kvKeys: readonly string[]): Promise<Map<string, string>> {
  const reads: Promise<Map<string, string | null>>[] = [];
  for (let at = 0; at < kvKeys.length; at += KEYS_PER_READ) {
    reads.push(kv.get(kvKeys.slice(at, at + KEYS_PER_READ), { type: "text", cacheTtl: CACHE_TTL }));
  }
  try {
    const maps = await withDeadline(Promise.all(reads), DEADLINE);
    return new Map(maps.flatMap((map) => [...map]).filter((entry): entry is [string, string] => entry[1] !== null));
  } catch (cause) {
    throw storageUnavailable("The ciphertext store did not answer.", cause);
  }
}

/** Rejects when KV does not answer. It asks for a key that no ciphertext ever has. */
export async function probeCiphertexts(kv: KVNamespace): Promise<void> {
  await readCiphertexts(kv, ["probe"]);
}
