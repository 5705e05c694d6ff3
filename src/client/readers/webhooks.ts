import { DELIVERY_STATES, WEBHOOK_EVENT_NAMES } from "../../contract/webhook-events.ts";
import type { MadeWebhook, WebhookBody, WebhookDeliveries, WebhookPage, WebhookTest } from "../types/webhooks.ts";
import { count, flag, listOf, objectOf, oneOf, optional, orNull, pageOf, type Reader, text, time } from "./reader.ts";

const event = oneOf(...WEBHOOK_EVENT_NAMES);
const shown = {
  name: text,
  revision: count,
  url: text,
  events: listOf(event),
  refused_per_minute: count,
  previous_secret_until: orNull(time),
  created_at: time,
  created_by: text,
  updated_at: time,
  updated_by: text,
};

export const webhookBody: Reader<WebhookBody> = objectOf(shown);
export const madeWebhook: Reader<MadeWebhook> = objectOf({ ...shown, secret: optional(text) });
export const webhookPage: Reader<WebhookPage> = pageOf("webhooks", webhookBody);
export const webhookTest: Reader<WebhookTest> = objectOf({ delivered: flag, status: orNull(count), detail: text });
export const webhookDeliveries: Reader<WebhookDeliveries> = objectOf({
  deliveries: listOf(
    objectOf({
      id: text,
      event,
      state: oneOf(...DELIVERY_STATES),
      attempts: count,
      status: orNull(count),
      created_at: time,
      next_at: orNull(time),
      done_at: orNull(time),
    }),
  ),
});
