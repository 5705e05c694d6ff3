import type * as z from "zod";
import { deletedScopeSchema, type ScopeBody, scopeBodySchema, scopeListSchema } from "../contract/scope-tree.ts";
import { pages } from "./pages.ts";
import { readNothing, readReply } from "./read-reply.ts";
import type { CallOptions, Send } from "./send.ts";

export type ScopePage = z.output<typeof scopeListSchema>;
export type DeletedScope = z.output<typeof deletedScopeSchema>;

/** The tree of scopes. */
export function scopeCalls(send: Send) {
  const at = (scope: string) => `/v1/scopes/${encodeURIComponent(scope)}`;
  const list = async (query: { limit?: number; cursor?: string } = {}, options: CallOptions = {}): Promise<ScopePage> =>
    readReply(await send({ method: "GET", path: "/v1/scopes", query, ...options }), scopeListSchema);
  return {
    /** Puts a scope under another, which a resolve then searches too. */
    async put(scope: string, parent: string, options: CallOptions = {}): Promise<ScopeBody> {
      return readReply(await send({ method: "PUT", path: at(scope), json: { parent }, ...options }), scopeBodySchema);
    },
    /** One page of the scopes that are declared or in use. */
    list,
    /** All of them, page after page. */
    listAll: (options: CallOptions = {}): AsyncGenerator<ScopeBody> =>
      pages(async (cursor) => {
        const page = await list({ limit: 200, ...(cursor !== undefined && { cursor }) }, options);
        return { items: page.scopes, next: page.next_cursor };
      }),
    /** Removes a scope's parent. */
    async delete(scope: string, options: CallOptions = {}): Promise<void> {
      return readNothing(await send({ method: "DELETE", path: at(scope), ...options }));
    },
    /** Deletes up to 200 of a scope's secrets, with `purge` for good; to be repeated until none remain. */
    async deleteSecrets(scope: string, options: CallOptions & { readonly purge?: boolean | undefined } = {}): Promise<DeletedScope> {
      const { purge, ...call } = options;
      const query = { secrets: "true", ...(purge === true && { purge: "true" }) };
      return readReply(await send({ method: "DELETE", path: at(scope), query, ...call }), deletedScopeSchema);
    },
  };
}
