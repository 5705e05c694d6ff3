import type * as z from "zod";
import type { LimitField, LimitFields } from "../contract/limits.ts";
import {
  type CreateTokenReply,
  createTokenReplySchema,
  type createTokenSchema,
  listTokensReplySchema,
  type TokenBody,
  type Whoami,
  whoamiSchema,
} from "../contract/token.ts";
import { pages } from "./pages.ts";
import { readNothing, readReply } from "./read-reply.ts";
import type { CallOptions, Send } from "./send.ts";

/** What a new token may do, and for how long. */
export type CreateToken = Omit<z.input<typeof createTokenSchema>, LimitField> & SomeLimits;
/** The limits of a token: one that is left out is none. */
export type SomeLimits = Partial<LimitFields<readonly string[] | undefined>>;
export type TokenPage = z.output<typeof listTokensReplySchema>;

/** Tokens for pipelines and gateways. */
export function tokenCalls(send: Send) {
  const list = async (query: { limit?: number; cursor?: string } = {}, options: CallOptions = {}): Promise<TokenPage> =>
    readReply(await send({ method: "GET", path: "/v1/tokens", query, ...options }), listTokensReplySchema);
  return {
    /** Mints a token, which is shown this once. Never retried. */
    async create(token: CreateToken, options: CallOptions = {}): Promise<CreateTokenReply> {
      return readReply(await send({ method: "POST", path: "/v1/tokens", json: token, ...options }), createTokenReplySchema);
    },
    /** One page of the tokens that were minted. */
    list,
    /** All of them, page after page. */
    listAll: (options: CallOptions = {}): AsyncGenerator<TokenBody> =>
      pages(async (cursor) => {
        const page = await list({ limit: 200, ...(cursor !== undefined && { cursor }) }, options);
        return { items: page.tokens, next: page.next_cursor };
      }),
    /** Revokes a token, from the next request on. */
    async revoke(id: string, options: CallOptions = {}): Promise<void> {
      return readNothing(await send({ method: "DELETE", path: `/v1/tokens/${encodeURIComponent(id)}`, ...options }));
    },
  };
}

/** What the token of this client is and may do. */
export async function whoami(send: Send, options: CallOptions = {}): Promise<Whoami> {
  return readReply(await send({ method: "GET", path: "/v1/whoami", ...options }), whoamiSchema);
}
