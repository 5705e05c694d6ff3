import { type KeysReply, keysReplySchema, type RewrapReply, rewrapReplySchema } from "../contract/keys.ts";
import { readReply } from "./read-reply.ts";
import type { CallOptions, Send } from "./send.ts";

/** The keyring. */
export function keyCalls(send: Send) {
  const usage = async (options: CallOptions = {}): Promise<KeysReply> =>
    readReply(await send({ method: "GET", path: "/v1/keys", ...options }), keysReplySchema);
  return {
    /** What is under each key, and whether the whole deployment was counted. */
    usage,
    /** The keys, with what is under each. */
    async list(options: CallOptions = {}): Promise<KeysReply["keys"]> {
      return (await usage(options)).keys;
    },
    /** Re-wraps a batch under the current key now. Never retried; repeat it until none remain. */
    async rewrap(options: CallOptions = {}): Promise<RewrapReply> {
      return readReply(await send({ method: "POST", path: "/v1/keys/rewrap", ...options }), rewrapReplySchema);
    },
  };
}
