import type * as z from "zod";
import type { LimitField } from "../contract/limits.ts";
import {
  listRefusalsReplySchema,
  listTrustsReplySchema,
  type putTrustSchema,
  type TrustBody,
  type TrustRefusals,
  type TrustTest,
  trustSchema,
  trustTestSchema,
} from "../contract/trust.ts";
import { pages } from "./pages.ts";
import { readNothing, readReply } from "./read-reply.ts";
import type { CallOptions, Send } from "./send.ts";
import type { SomeLimits } from "./tokens.ts";

/** What an issuer's tokens must be, and what they are exchanged for. */
export type PutTrust = Omit<z.input<typeof putTrustSchema>, LimitField> & SomeLimits;

export type TrustPage = z.output<typeof listTrustsReplySchema>;

/** Trusts in OIDC issuers. */
export function trustCalls(send: Send) {
  const at = (name: string) => `/v1/trusts/${encodeURIComponent(name)}`;
  const list = async (query: { limit?: number; cursor?: string } = {}, options: CallOptions = {}): Promise<TrustPage> =>
    readReply(await send({ method: "GET", path: "/v1/trusts", query, ...options }), listTrustsReplySchema);
  return {
    /** Makes or replaces a trust. */
    async put(name: string, trust: PutTrust, options: CallOptions = {}): Promise<TrustBody> {
      return readReply(await send({ method: "PUT", path: at(name), json: trust, ...options }), trustSchema);
    },
    /** One trust. */
    async get(name: string, options: CallOptions = {}): Promise<TrustBody> {
      return readReply(await send({ method: "GET", path: at(name), ...options }), trustSchema);
    },
    /** One page of them, by name. */
    list,
    /** All of them, page after page. */
    listAll: (options: CallOptions = {}): AsyncGenerator<TrustBody> =>
      pages(async (cursor) => {
        const page = await list({ limit: 200, ...(cursor !== undefined && { cursor }) }, options);
        return { items: page.trusts, next: page.next_cursor };
      }),
    /** Says what an exchange of an identity token would come to, and which condition fails. It is neither kept nor used up. */
    async test(name: string, identityToken: string, options: CallOptions = {}): Promise<TrustTest> {
      return readReply(await send({ method: "POST", path: `${at(name)}/test`, json: { subject_token: identityToken }, ...options }), trustTestSchema);
    },
    /** Why identity tokens were refused under a trust, the latest first. */
    async refusals(name: string, options: CallOptions = {}): Promise<TrustRefusals["refusals"]> {
      return (await readReply(await send({ method: "GET", path: `${at(name)}/refusals`, ...options }), listRefusalsReplySchema)).refusals;
    },
    /** Deletes a trust and revokes the tokens that were exchanged under it. */
    async delete(name: string, options: CallOptions = {}): Promise<void> {
      return readNothing(await send({ method: "DELETE", path: at(name), ...options }));
    },
  };
}
