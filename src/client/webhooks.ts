import { namedCalls } from "./named-calls.ts";
import { readReply } from "./read-reply.ts";
import { madeWebhook, webhookBody, webhookDeliveries, webhookPage, webhookTest } from "./readers/webhooks.ts";
import type { Send } from "./send.ts";
import type { CallOptions } from "./types/calls.ts";
import type { MadeWebhook, PutWebhook, WebhookBody, WebhookCalls, WebhookDeliveries, WebhookPage, WebhookTest } from "./types/webhooks.ts";

/** Webhooks: who is told of what happens. */
export function webhookCalls(send: Send): WebhookCalls {
  const { at, calls } = namedCalls<PutWebhook, MadeWebhook, WebhookBody, WebhookPage>(send, {
    path: "/v1/webhooks",
    made: madeWebhook,
    body: webhookBody,
    page: webhookPage,
    itemsOf: ({ webhooks }) => webhooks,
  });
  return {
    ...calls,
    async rotate(name: string, options: CallOptions = {}): Promise<MadeWebhook> {
      return readReply(await send({ method: "POST", path: `${at(name)}/rotate`, ...options }), madeWebhook);
    },
    async test(name: string, options: CallOptions = {}): Promise<WebhookTest> {
      return readReply(await send({ method: "POST", path: `${at(name)}/test`, ...options }), webhookTest);
    },
    async deliveries(name: string, options: CallOptions = {}): Promise<WebhookDeliveries> {
      return readReply(await send({ method: "GET", path: `${at(name)}/deliveries`, ...options }), webhookDeliveries);
    },
  };
}
