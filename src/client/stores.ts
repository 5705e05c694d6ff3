import { pages } from "./pages.ts";
import { readNothing, readReply } from "./read-reply.ts";
import { storeBody, storeCheck, storePage } from "./readers/stores.ts";
import type { Send } from "./send.ts";
import type { CallOptions } from "./types/calls.ts";
import type { PutStore, StoreBody, StoreCalls, StoreCheck, StorePage } from "./types/stores.ts";

/** Stores: places outside where values live. */
export function storeCalls(send: Send): StoreCalls {
  const at = (name: string) => `/v1/stores/${encodeURIComponent(name)}`;
  const list = async (query: { limit?: number; cursor?: string } = {}, options: CallOptions = {}): Promise<StorePage> =>
    readReply(await send({ method: "GET", path: "/v1/stores", query, ...options }), storePage);
  return {
    async put(name: string, store: PutStore, options: CallOptions = {}): Promise<StoreBody> {
      return readReply(await send({ method: "PUT", path: at(name), json: store, ...options }), storeBody);
    },
    async get(name: string, options: CallOptions = {}): Promise<StoreBody> {
      return readReply(await send({ method: "GET", path: at(name), ...options }), storeBody);
    },
    list,
    listAll: (options: CallOptions = {}): AsyncGenerator<StoreBody> =>
      pages(async (cursor) => {
        const page = await list({ limit: 200, ...(cursor !== undefined && { cursor }) }, options);
        return { items: page.stores, next: page.next_cursor };
      }),
    async check(name: string, key?: string, options: CallOptions = {}): Promise<StoreCheck> {
      const reply = await send({ method: "POST", path: `${at(name)}/check`, ...(key !== undefined && { json: { key } }), ...options });
      return readReply(reply, storeCheck);
    },
    async delete(name: string, options: CallOptions = {}): Promise<void> {
      return readNothing(await send({ method: "DELETE", path: at(name), ...options }));
    },
  };
}
