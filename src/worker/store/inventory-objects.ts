import { withDeadline } from "../with-deadline.ts";

/** How long KV may take, in milliseconds. */
const DEADLINE = 5_000;
/** How long a location may keep its copy, in seconds: the least KV takes. */
const CACHE_TTL = 30;
/** How long it stays when nobody puts it again, in seconds: what is in use is, each hour. */
const KEPT = 30 * 86_400;

/** Reads what is kept of rows outside D1, under a name; `null` for nothing. Rejects when KV fails or does not answer in time. */
export function readInventoryObject(kv: KVNamespace, name: string): Promise<string | null> {
  return withDeadline(kv.get(name, { type: "text", cacheTtl: CACHE_TTL }), DEADLINE);
}

/** Puts it there. Rejects when KV fails or does not answer in time. */
export function putInventoryObject(kv: KVNamespace, name: string, text: string): Promise<void> {
  return withDeadline(kv.put(name, text, { expirationTtl: KEPT }), DEADLINE);
}
