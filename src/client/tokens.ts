import { pages } from "./pages.ts";
import { readNothing, readReply } from "./read-reply.ts";
import { createTokenReply, tokenPage, whoamiReply } from "./readers/tokens.ts";
import type { Send } from "./send.ts";
import type { CallOptions } from "./types/calls.ts";
import type { CreateToken, CreateTokenReply, TokenBody, TokenCalls, TokenPage, Whoami } from "./types/tokens.ts";

/** Tokens for pipelines and gateways. */
export function tokenCalls(send: Send): TokenCalls {
  const list = async (query: { limit?: number; cursor?: string } = {}, options: CallOptions = {}): Promise<TokenPage> =>
    readReply(await send({ method: "GET", path: "/v1/tokens", query, ...options }), tokenPage);
  return {
    async create(token: CreateToken, options: CallOptions = {}): Promise<CreateTokenReply> {
      return readReply(await send({ method: "POST", path: "/v1/tokens", json: token, ...options }), createTokenReply);
    },
    list,
    listAll: (options: CallOptions = {}): AsyncGenerator<TokenBody> =>
      pages(async (cursor) => {
        const page = await list({ limit: 200, ...(cursor !== undefined && { cursor }) }, options);
        return { items: page.tokens, next: page.next_cursor };
      }),
    async revoke(id: string, options: CallOptions = {}): Promise<void> {
      return readNothing(await send({ method: "DELETE", path: `/v1/tokens/${encodeURIComponent(id)}`, ...options }));
    },
  };
}

/** What the token of this client is and may do. */
export async function whoami(send: Send, options: CallOptions = {}): Promise<Whoami> {
  return readReply(await send({ method: "GET", path: "/v1/whoami", ...options }), whoamiReply);
}
