import { pages } from "./pages.ts";
import { readNothing, readReply } from "./read-reply.ts";
import { madeWebhook, webhookBody, webhookDeliveries, webhookPage, webhookTest } from "./readers/webhooks.ts";
import type { Send } from "./send.ts";
import type { CallOptions } from "./types/calls.ts";
import type { MadeWebhook, PutWebhook, WebhookBody, WebhookCalls, WebhookDeliveries, WebhookPage, WebhookTest } from "./types/webhooks.ts";

/** Webhooks: who is told of what happens. */
export function webhookCalls(send: Send): WebhookCalls {
  const at = (name: string) => `/v1/webhooks/${encodeURIComponent(name)}`;
  const list = async (query: { limit?: number; cursor?: string } = {}, options: CallOptions = {}): Promise<WebhookPage> =>
    readReply(await send({ method: "GET", path: "/v1/webhooks", query, ...options }), webhookPage);
  return {
    async put(name: string, webhook: PutWebhook, options: CallOptions = {}): Promise<MadeWebhook> {
      return readReply(await send({ method: "PUT", path: at(name), json: webhook, ...options }), madeWebhook);
    },
    async get(name: string, options: CallOptions = {}): Promise<WebhookBody> {
      return readReply(await send({ method: "GET", path: at(name), ...options }), webhookBody);
    },
    list,
    listAll: (options: CallOptions = {}): AsyncGenerator<WebhookBody> =>
      pages(async (cursor) => {
        const page = await list({ limit: 200, ...(cursor !== undefined && { cursor }) }, options);
        return { items: page.webhooks, next: page.next_cursor };
      }),
    async rotate(name: string, options: CallOptions = {}): Promise<MadeWebhook> {
      return readReply(await send({ method: "POST", path: `${at(name)}/rotate`, ...options }), madeWebhook);
    },
    async test(name: string, options: CallOptions = {}): Promise<WebhookTest> {
      return readReply(await send({ method: "POST", path: `${at(name)}/test`, ...options }), webhookTest);
    },
    async deliveries(name: string, options: CallOptions = {}): Promise<WebhookDeliveries> {
      return readReply(await send({ method: "GET", path: `${at(name)}/deliveries`, ...options }), webhookDeliveries);
    },
    async delete(name: string, options: CallOptions = {}): Promise<void> {
      return readNothing(await send({ method: "DELETE", path: at(name), ...options }));
    },
  };
}
