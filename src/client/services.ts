import type * as z from "zod";
import { listServicesReplySchema, type putServiceSchema, type ServiceBody, serviceSchema } from "../contract/service.ts";
import { pages } from "./pages.ts";
import { readNothing, readReply } from "./read-reply.ts";
import type { CallOptions, Send } from "./send.ts";

/** Where a service's requests go, what is put into them, and which are let through. */
export type PutService = z.input<typeof putServiceSchema>;

export type ServicePage = z.output<typeof listServicesReplySchema>;

/** Services: APIs that are used without holding the credential. */
export function serviceCalls(send: Send) {
  const at = (name: string) => `/v1/services/${encodeURIComponent(name)}`;
  const list = async (query: { limit?: number; cursor?: string } = {}, options: CallOptions = {}): Promise<ServicePage> =>
    readReply(await send({ method: "GET", path: "/v1/services", query, ...options }), listServicesReplySchema);
  return {
    /** Makes or replaces a service. */
    async put(name: string, service: PutService, options: CallOptions = {}): Promise<ServiceBody> {
      return readReply(await send({ method: "PUT", path: at(name), json: service, ...options }), serviceSchema);
    },
    /** One service: all of it with `services:write`, with `secrets:use` its name, its preset and what it allows. */
    async get(name: string, options: CallOptions = {}): Promise<ServiceBody> {
      return readReply(await send({ method: "GET", path: at(name), ...options }), serviceSchema);
    },
    /** One page of them, by name. */
    list,
    /** All of them, page after page. */
    listAll: (options: CallOptions = {}): AsyncGenerator<ServiceBody> =>
      pages(async (cursor) => {
        const page = await list({ limit: 200, ...(cursor !== undefined && { cursor }) }, options);
        return { items: page.services, next: page.next_cursor };
      }),
    /** Deletes a service. */
    async delete(name: string, options: CallOptions = {}): Promise<void> {
      return readNothing(await send({ method: "DELETE", path: at(name), ...options }));
    },
  };
}
