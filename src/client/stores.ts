import type * as z from "zod";
import { listStoresReplySchema, type putStoreSchema, type StoreBody, storeSchema } from "../contract/store.ts";
import { checkStoreReplySchema, type StoreCheck } from "../contract/store-check.ts";
import { pages } from "./pages.ts";
import { readNothing, readReply } from "./read-reply.ts";
import type { CallOptions, Send } from "./send.ts";

/** Where values live outside, by which credentials they are had, and which scopes may have which keys. */
export type PutStore = z.input<typeof putStoreSchema>;

export type StorePage = z.output<typeof listStoresReplySchema>;

/** Stores: places outside where values live. */
export function storeCalls(send: Send) {
  const at = (name: string) => `/v1/stores/${encodeURIComponent(name)}`;
  const list = async (query: { limit?: number; cursor?: string } = {}, options: CallOptions = {}): Promise<StorePage> =>
    readReply(await send({ method: "GET", path: "/v1/stores", query, ...options }), listStoresReplySchema);
  return {
    /** Makes or replaces a store. */
    async put(name: string, store: PutStore, options: CallOptions = {}): Promise<StoreBody> {
      return readReply(await send({ method: "PUT", path: at(name), json: store, ...options }), storeSchema);
    },
    async get(name: string, options: CallOptions = {}): Promise<StoreBody> {
      return readReply(await send({ method: "GET", path: at(name), ...options }), storeSchema);
    },
    /** One page of them, by name. */
    list,
    /** All of them, page after page. */
    listAll: (options: CallOptions = {}): AsyncGenerator<StoreBody> =>
      pages(async (cursor) => {
        const page = await list({ limit: 200, ...(cursor !== undefined && { cursor }) }, options);
        return { items: page.stores, next: page.next_cursor };
      }),
    /** Tries a store: reads `key` and shows nothing of it, or lists keys where none is named. */
    async check(name: string, key?: string, options: CallOptions = {}): Promise<StoreCheck> {
      const reply = await send({ method: "POST", path: `${at(name)}/check`, ...(key !== undefined && { json: { key } }), ...options });
      return readReply(reply, checkStoreReplySchema);
    },
    /** Deletes a store. */
    async delete(name: string, options: CallOptions = {}): Promise<void> {
      return readNothing(await send({ method: "DELETE", path: at(name), ...options }));
    },
  };
}
