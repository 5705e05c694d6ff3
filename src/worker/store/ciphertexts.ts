import { storageUnavailable } from "../../contract/problem.ts";
import { withDeadline } from "../with-deadline.ts";

/** How long KV may take, in milliseconds. */
const DEADLINE = 5_000;
/** How long a location may keep its copy, in seconds: keys are never reused, so no copy is ever stale. */
const CACHE_TTL = 86_400;
/** A miss is kept at a location too. So what is missing is asked for once more, and no miss counts that is older than this, in seconds: the least KV takes. */
const MISS_TTL = 30;
/** Of a version, or of an archive. */
const CIPHERTEXT = /^[ca]_[0-9a-f]{32}$/;
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
 * Reads ciphertexts from KV, several in bulk. What KV does not have is not in the result.
 *
 * @param copies Whether a copy that a location has kept will do.
 * @throws {Problem} `storage-unavailable` when KV fails or does not answer in time.
 */
export async function readCiphertexts(kv: KVNamespace, kvKeys: readonly string[], copies: "kept" | "fresh" = "kept"): Promise<Map<string, string>> {
  try {
    return await withDeadline(copies === "fresh" ? read(kv, kvKeys, MISS_TTL) : readTwice(kv, kvKeys), DEADLINE);
  } catch (cause) {
    throw storageUnavailable("The ciphertext store did not answer.", cause);
  }
}

async function readTwice(kv: KVNamespace, kvKeys: readonly string[]): Promise<Map<string, string>> {
  const found = await read(kv, kvKeys, CACHE_TTL);
  const missing = kvKeys.filter((key) => !found.has(key));
  return missing.length === 0 ? found : new Map([...found, ...(await read(kv, missing, MISS_TTL))]);
}

async function read(kv: KVNamespace, kvKeys: readonly string[], cacheTtl: number): Promise<Map<string, string>> {
  const [only, another] = kvKeys;
  // By itself a key is read faster than in bulk.
  if (only !== undefined && another === undefined) {
    const text = await kv.get(only, { type: "text", cacheTtl });
    return new Map(text === null ? [] : [[only, text]]);
  }
  const reads: Promise<Map<string, string | null>>[] = [];
  for (let at = 0; at < kvKeys.length; at += KEYS_PER_READ) reads.push(kv.get(kvKeys.slice(at, at + KEYS_PER_READ), { type: "text", cacheTtl }));
  const maps = await Promise.all(reads);
  return new Map(maps.flatMap((map) => [...map]).filter((entry): entry is [string, string] => entry[1] !== null));
}

/** Some of the keys that ciphertexts have in KV, and where the next ones begin, `null` after the last. Rejects when KV fails or does not answer in time. */
export async function listCiphertexts(kv: KVNamespace, cursor: string | null): Promise<{ readonly keys: readonly string[]; readonly next: string | null }> {
  const page: KVNamespaceListResult<unknown> = await withDeadline(kv.list({ ...(cursor !== null && { cursor }) }), DEADLINE);
  const keys = page.keys.map(({ name }) => name).filter((name) => CIPHERTEXT.test(name));
  return { keys, next: page.list_complete ? null : page.cursor };
}

/** Rejects when KV does not answer. It asks for a key that no ciphertext ever has. */
export async function probeCiphertexts(kv: KVNamespace): Promise<void> {
  await withDeadline(kv.get(["probe"], { type: "text", cacheTtl: MISS_TTL }), DEADLINE);
}
