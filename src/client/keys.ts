import { readReply } from "./read-reply.ts";
import { keysReply, rewrapReply } from "./readers/operator.ts";
import type { Send } from "./send.ts";
import type { CallOptions } from "./types/calls.ts";
import type { KeyCalls, KeysReply, RewrapReply } from "./types/operator.ts";

/** The keyring. */
export function keyCalls(send: Send): KeyCalls {
  const usage = async (options: CallOptions = {}): Promise<KeysReply> => readReply(await send({ method: "GET", path: "/v1/keys", ...options }), keysReply);
  return {
    usage,
    async list(options: CallOptions = {}): Promise<KeysReply["keys"]> {
      return (await usage(options)).keys;
    },
    async rewrap(options: CallOptions = {}): Promise<RewrapReply> {
      return readReply(await send({ method: "POST", path: "/v1/keys/rewrap", ...options }), rewrapReply);
    },
  };
}
