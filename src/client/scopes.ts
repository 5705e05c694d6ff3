import { pages } from "./pages.ts";
import { readNothing, readReply } from "./read-reply.ts";
import { deletedScope, scopeBody, scopePage, scopeSync } from "./readers/scopes.ts";
import type { Send } from "./send.ts";
import type { CallOptions } from "./types/calls.ts";
import type { DeletedScope, ScopeBody, ScopeCalls, ScopePage, ScopeSync } from "./types/scopes.ts";

/** The tree of scopes. */
export function scopeCalls(send: Send): ScopeCalls {
  const at = (scope: string) => `/v1/scopes/${encodeURIComponent(scope)}`;
  const list = async (query: { limit?: number; cursor?: string } = {}, options: CallOptions = {}): Promise<ScopePage> =>
    readReply(await send({ method: "GET", path: "/v1/scopes", query, ...options }), scopePage);
  return {
    async put(scope: string, parent: string, options: CallOptions = {}): Promise<ScopeBody> {
      return readReply(await send({ method: "PUT", path: at(scope), json: { parent }, ...options }), scopeBody);
    },
    async putInStore(scope: string, store: string, prefix: string, options: CallOptions = {}): Promise<ScopeBody> {
      return readReply(await send({ method: "PUT", path: at(scope), json: { store, prefix }, ...options }), scopeBody);
    },
    async takeFromStore(scope: string, options: CallOptions = {}): Promise<ScopeBody> {
      return readReply(await send({ method: "PUT", path: at(scope), json: { store: null }, ...options }), scopeBody);
    },
    async sync(scope: string, options: CallOptions & { readonly dryRun?: boolean | undefined } = {}): Promise<ScopeSync> {
      const { dryRun = false, ...call } = options;
      return readReply(await send({ method: "POST", path: `${at(scope)}/sync`, json: { dry_run: dryRun }, ...call }), scopeSync);
    },
    list,
    listAll: (options: CallOptions = {}): AsyncGenerator<ScopeBody> =>
      pages(async (cursor) => {
        const page = await list({ limit: 200, ...(cursor !== undefined && { cursor }) }, options);
        return { items: page.scopes, next: page.next_cursor };
      }),
    async delete(scope: string, options: CallOptions = {}): Promise<void> {
      return readNothing(await send({ method: "DELETE", path: at(scope), ...options }));
    },
    async deleteSecrets(scope: string, options: CallOptions & { readonly purge?: boolean | undefined } = {}): Promise<DeletedScope> {
      const { purge, ...call } = options;
      const query = { secrets: "true", ...(purge === true && { purge: "true" }) };
      return readReply(await send({ method: "DELETE", path: at(scope), query, ...call }), deletedScope);
    },
  };
}
