import type * as z from "zod";
import {
  type CreateRevocationReply,
  createRevocationReplySchema,
  type createRevocationSchema,
  listRevocationsReplySchema,
  type RevocationBody,
} from "../contract/revocation.ts";
import { pages } from "./pages.ts";
import { readReply } from "./read-reply.ts";
import type { CallOptions, Send } from "./send.ts";

/** What is to be revoked: exactly one of `token_id`, `subject` and `issued_before`. */
export type CreateRevocation = z.input<typeof createRevocationSchema>;
export type RevocationPage = z.output<typeof listRevocationsReplySchema>;

/** Revocations by id, subject or time. */
export function revocationCalls(send: Send) {
  const list = async (query: { limit?: number; cursor?: string } = {}, options: CallOptions = {}): Promise<RevocationPage> =>
    readReply(await send({ method: "GET", path: "/v1/revocations", query, ...options }), listRevocationsReplySchema);
  return {
    /** Revokes, from the next request on. To do it twice is like once, so it is retried. */
    async create(revocation: CreateRevocation, options: CallOptions = {}): Promise<CreateRevocationReply> {
      return readReply(await send({ method: "POST", path: "/v1/revocations", json: revocation, repeatable: true, ...options }), createRevocationReplySchema);
    },
    /** One page of what was revoked, newest first. */
    list,
    /** All of it, page after page. */
    listAll: (options: CallOptions = {}): AsyncGenerator<RevocationBody> =>
      pages(async (cursor) => {
        const page = await list({ limit: 200, ...(cursor !== undefined && { cursor }) }, options);
        return { items: page.revocations, next: page.next_cursor };
      }),
  };
}
