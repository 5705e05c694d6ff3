import { readReply } from "./read-reply.ts";
import { sealedReply, unsealedReply } from "./readers/operator.ts";
import type { Send } from "./send.ts";
import type { CallOptions } from "./types/calls.ts";
import type { SealCalls, SealedReply, UnsealedReply } from "./types/operator.ts";

/** Rows without a seal of their own. */
export function sealCalls(send: Send): SealCalls {
  return {
    async list(options: CallOptions = {}): Promise<UnsealedReply> {
      return readReply(await send({ method: "GET", path: "/v1/seals", ...options }), unsealedReply);
    },
    async confirm(digest: string, options: CallOptions = {}): Promise<SealedReply> {
      return readReply(await send({ method: "POST", path: "/v1/seals", json: { digest }, ...options }), sealedReply);
    },
  };
}
