import { pages } from "./pages.ts";
import { readNothing, readReply } from "./read-reply.ts";
import { serviceBody, servicePage } from "./readers/services.ts";
import type { Send } from "./send.ts";
import type { CallOptions } from "./types/calls.ts";
import type { PutService, ServiceBody, ServiceCalls, ServicePage } from "./types/services.ts";

/** Services: APIs that are used without holding the credential. */
export function serviceCalls(send: Send): ServiceCalls {
  const at = (name: string) => `/v1/services/${encodeURIComponent(name)}`;
  const list = async (query: { limit?: number; cursor?: string } = {}, options: CallOptions = {}): Promise<ServicePage> =>
    readReply(await send({ method: "GET", path: "/v1/services", query, ...options }), servicePage);
  return {
    async put(name: string, service: PutService, options: CallOptions = {}): Promise<ServiceBody> {
      return readReply(await send({ method: "PUT", path: at(name), json: service, ...options }), serviceBody);
    },
    async get(name: string, options: CallOptions = {}): Promise<ServiceBody> {
      return readReply(await send({ method: "GET", path: at(name), ...options }), serviceBody);
    },
    list,
    listAll: (options: CallOptions = {}): AsyncGenerator<ServiceBody> =>
      pages(async (cursor) => {
        const page = await list({ limit: 200, ...(cursor !== undefined && { cursor }) }, options);
        return { items: page.services, next: page.next_cursor };
      }),
    async delete(name: string, options: CallOptions = {}): Promise<void> {
      return readNothing(await send({ method: "DELETE", path: at(name), ...options }));
    },
  };
}
