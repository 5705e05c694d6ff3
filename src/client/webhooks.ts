import type * as z from "zod";
import {
  type DeliveriesBody,
  deliveriesReplySchema,
  listWebhooksReplySchema,
  type MadeWebhookBody,
  madeWebhookSchema,
  type putWebhookSchema,
  testWebhookReplySchema,
  type WebhookBody,
  type WebhookTest,
  webhookSchema,
} from "../contract/webhook.ts";
import { pages } from "./pages.ts";
import { readNothing, readReply } from "./read-reply.ts";
import type { CallOptions, Send } from "./send.ts";

/** Where messages are sent, and of what. */
export type PutWebhook = z.input<typeof putWebhookSchema>;

export type WebhookPage = z.output<typeof listWebhooksReplySchema>;

/** Webhooks: who is told of what happens. */
export function webhookCalls(send: Send) {
  const at = (name: string) => `/v1/webhooks/${encodeURIComponent(name)}`;
  const list = async (query: { limit?: number; cursor?: string } = {}, options: CallOptions = {}): Promise<WebhookPage> =>
    readReply(await send({ method: "GET", path: "/v1/webhooks", query, ...options }), listWebhooksReplySchema);
  return {
    /** Makes or replaces a webhook. `secret` is given once: when it is new, or has another address. */
    async put(name: string, webhook: PutWebhook, options: CallOptions = {}): Promise<MadeWebhookBody> {
      return readReply(await send({ method: "PUT", path: at(name), json: webhook, ...options }), madeWebhookSchema);
    },
    async get(name: string, options: CallOptions = {}): Promise<WebhookBody> {
      return readReply(await send({ method: "GET", path: at(name), ...options }), webhookSchema);
    },
    /** One page of them, by name. */
    list,
    /** All of them, page after page. */
    listAll: (options: CallOptions = {}): AsyncGenerator<WebhookBody> =>
      pages(async (cursor) => {
        const page = await list({ limit: 200, ...(cursor !== undefined && { cursor }) }, options);
        return { items: page.webhooks, next: page.next_cursor };
      }),
    /** Gives it another secret; for a day messages are signed with both. */
    async rotate(name: string, options: CallOptions = {}): Promise<MadeWebhookBody> {
      return readReply(await send({ method: "POST", path: `${at(name)}/rotate`, ...options }), madeWebhookSchema);
    },
    /** Sends it a message `webhook.test`, once. */
    async test(name: string, options: CallOptions = {}): Promise<WebhookTest> {
      return readReply(await send({ method: "POST", path: `${at(name)}/test`, ...options }), testWebhookReplySchema);
    },
    /** Its last messages, the newest first. */
    async deliveries(name: string, options: CallOptions = {}): Promise<DeliveriesBody["deliveries"]> {
      return (await readReply(await send({ method: "GET", path: `${at(name)}/deliveries`, ...options }), deliveriesReplySchema)).deliveries;
    },
    /** Deletes a webhook, with what it was still to be told. */
    async delete(name: string, options: CallOptions = {}): Promise<void> {
      return readNothing(await send({ method: "DELETE", path: at(name), ...options }));
    },
  };
}
