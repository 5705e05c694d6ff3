import { namedCalls } from "./named-calls.ts";
import { readReply } from "./read-reply.ts";
import { storeBody, storeCheck, storePage } from "./readers/stores.ts";
import type { Send } from "./send.ts";
import type { CallOptions } from "./types/calls.ts";
import type { PutStore, StoreBody, StoreCalls, StoreCheck, StorePage } from "./types/stores.ts";

/** Stores: places outside where values live. */
export function storeCalls(send: Send): StoreCalls {
  const { at, calls } = namedCalls<PutStore, StoreBody, StoreBody, StorePage>(send, {
    path: "/v1/stores",
    made: storeBody,
    body: storeBody,
    page: storePage,
    itemsOf: ({ stores }) => stores,
  });
  return {
    ...calls,
    async check(name: string, key?: string, options: CallOptions = {}): Promise<StoreCheck> {
      const reply = await send({ method: "POST", path: `${at(name)}/check`, ...(key !== undefined && { json: { key } }), ...options });
      return readReply(reply, storeCheck);
    },
  };
}
