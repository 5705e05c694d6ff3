import { pages } from "./pages.ts";
import { readReply } from "./read-reply.ts";
import { createRevocationReply, revocationPage } from "./readers/revocations.ts";
import type { Send } from "./send.ts";
import type { CallOptions } from "./types/calls.ts";
import type { CreateRevocation, CreateRevocationReply, RevocationBody, RevocationCalls, RevocationPage } from "./types/revocations.ts";

/** Revocations by id, subject or time. */
export function revocationCalls(send: Send): RevocationCalls {
  const list = async (query: { limit?: number; cursor?: string } = {}, options: CallOptions = {}): Promise<RevocationPage> =>
    readReply(await send({ method: "GET", path: "/v1/revocations", query, ...options }), revocationPage);
  return {
    async create(revocation: CreateRevocation, options: CallOptions = {}): Promise<CreateRevocationReply> {
      return readReply(await send({ method: "POST", path: "/v1/revocations", json: revocation, repeatable: true, ...options }), createRevocationReply);
    },
    list,
    listAll: (options: CallOptions = {}): AsyncGenerator<RevocationBody> =>
      pages(async (cursor) => {
        const page = await list({ limit: 200, ...(cursor !== undefined && { cursor }) }, options);
        return { items: page.revocations, next: page.next_cursor };
      }),
  };
}
