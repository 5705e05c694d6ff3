import { type SealedReply, sealedReplySchema, type UnsealedReply, unsealedReplySchema } from "../contract/seals.ts";
import { readReply } from "./read-reply.ts";
import type { CallOptions, Send } from "./send.ts";

/** Rows without a seal of their own. */
export function sealCalls(send: Send) {
  return {
    /** Some of them, and the digest that confirms these. */
    async list(options: CallOptions = {}): Promise<UnsealedReply> {
      return readReply(await send({ method: "GET", path: "/v1/seals", ...options }), unsealedReplySchema);
    },
    /** Seals exactly those that the digest names. Never retried. */
    async confirm(digest: string, options: CallOptions = {}): Promise<SealedReply> {
      return readReply(await send({ method: "POST", path: "/v1/seals", json: { digest }, ...options }), sealedReplySchema);
    },
  };
}
