import type * as z from "zod";
import { type ScopeSync, scopeSyncSchema } from "../contract/scope-sync.ts";
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
    /** Puts a scope into a store: what is written in it is kept there from then on, under keys that begin with `prefix`. */
    async putInStore(scope: string, store: string, prefix: string, options: CallOptions = {}): Promise<ScopeBody> {
      return readReply(await send({ method: "PUT", path: at(scope), json: { store, prefix }, ...options }), scopeBodySchema);
    },
    /** Takes a scope out of its store. What is there is read from there as before; what is written then is not kept there. */
    async takeFromStore(scope: string, options: CallOptions = {}): Promise<ScopeBody> {
      return readReply(await send({ method: "PUT", path: at(scope), json: { store: null }, ...options }), scopeBodySchema);
    },
    /** Brings in what a scope's store has, up to 200 names in a call; to be repeated until none remain. Nothing is deleted, and no value is read. */
    async sync(scope: string, options: CallOptions & { readonly dryRun?: boolean | undefined } = {}): Promise<ScopeSync> {
      const { dryRun = false, ...call } = options;
      return readReply(await send({ method: "POST", path: `${at(scope)}/sync`, json: { dry_run: dryRun }, ...call }), scopeSyncSchema);
    },
    /** One page of the scopes that are declared, in use, or in a store. */
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
