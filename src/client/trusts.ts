import { pages } from "./pages.ts";
import { readNothing, readReply } from "./read-reply.ts";
import { refusalList, trustBody, trustPage, trustTest } from "./readers/trusts.ts";
import type { Send } from "./send.ts";
import type { CallOptions } from "./types/calls.ts";
import type { PutTrust, TrustBody, TrustCalls, TrustPage, TrustRefusal, TrustTest } from "./types/trusts.ts";

/** Trusts in OIDC issuers. */
export function trustCalls(send: Send): TrustCalls {
  const at = (name: string) => `/v1/trusts/${encodeURIComponent(name)}`;
  const list = async (query: { limit?: number; cursor?: string } = {}, options: CallOptions = {}): Promise<TrustPage> =>
    readReply(await send({ method: "GET", path: "/v1/trusts", query, ...options }), trustPage);
  return {
    async put(name: string, trust: PutTrust, options: CallOptions = {}): Promise<TrustBody> {
      return readReply(await send({ method: "PUT", path: at(name), json: trust, ...options }), trustBody);
    },
    async get(name: string, options: CallOptions = {}): Promise<TrustBody> {
      return readReply(await send({ method: "GET", path: at(name), ...options }), trustBody);
    },
    list,
    listAll: (options: CallOptions = {}): AsyncGenerator<TrustBody> =>
      pages(async (cursor) => {
        const page = await list({ limit: 200, ...(cursor !== undefined && { cursor }) }, options);
        return { items: page.trusts, next: page.next_cursor };
      }),
    async test(name: string, identityToken: string, options: CallOptions = {}): Promise<TrustTest> {
      return readReply(await send({ method: "POST", path: `${at(name)}/test`, json: { subject_token: identityToken }, ...options }), trustTest);
    },
    async refusals(name: string, options: CallOptions = {}): Promise<TrustRefusal[]> {
      return (await readReply(await send({ method: "GET", path: `${at(name)}/refusals`, ...options }), refusalList)).refusals;
    },
    async delete(name: string, options: CallOptions = {}): Promise<void> {
      return readNothing(await send({ method: "DELETE", path: at(name), ...options }));
    },
  };
}
