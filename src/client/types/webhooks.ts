import type { DELIVERY_STATES, WebhookEvent } from "../../contract/webhook-events.ts";
import type { CallOptions, PageQuery } from "./calls.ts";

/** Where messages are sent, and of what. */
export interface PutWebhook {
  /** https, port 443, a public name. */
  url: string;
  events: WebhookEvent[];
  /** How many refused calls in a minute are `calls.refused`; 60 unless told. */
  refused_per_minute?: number | undefined;
}

/** A webhook, as it is shown. */
export interface WebhookBody {
  name: string;
  /** Counts its changes. */
  revision: number;
  url: string;
  events: WebhookEvent[];
  refused_per_minute: number;
  /** Until when messages are signed with the secret of before, too. */
  previous_secret_until: string | null;
  created_at: string;
  created_by: string;
  updated_at: string;
  updated_by: string;
}

/** A webhook that was made or changed. */
export interface MadeWebhook extends WebhookBody {
  /** What messages are signed with. It is given once: when the webhook is new, has another address, or another secret. */
  secret?: string | undefined;
}

/** One page of webhooks. */
export interface WebhookPage {
  webhooks: WebhookBody[];
  next_cursor: string | null;
}

/** What came of a test message. */
export interface WebhookTest {
  delivered: boolean;
  /** What the address answered; `null` where it did not. */
  status: number | null;
  /** For people. */
  detail: string;
}

/** A message of a webhook. */
export interface WebhookDelivery {
  /** The header `webhook-id`. */
  id: string;
  event: WebhookEvent;
  state: (typeof DELIVERY_STATES)[number];
  attempts: number;
  status: number | null;
  created_at: string;
  next_at: string | null;
  done_at: string | null;
}

/** The last messages of a webhook. */
export interface WebhookDeliveries {
  deliveries: WebhookDelivery[];
}

/** Webhooks: who is told of what happens. */
export interface WebhookCalls {
  /**
   * Makes or replaces a webhook.
   *
   * @example
   * const { secret } = await client.webhooks.put("on-call", { url: "https://hooks.example.com/keyhole", events: ["secret.expiring"] });
   */
  put(name: string, webhook: PutWebhook, options?: CallOptions): Promise<MadeWebhook>;
  /**
   * One webhook.
   *
   * @example
   * const { url, events } = await client.webhooks.get("on-call");
   */
  get(name: string, options?: CallOptions): Promise<WebhookBody>;
  /**
   * One page of them, by name.
   *
   * @example
   * const { webhooks } = await client.webhooks.list();
   */
  list(query?: PageQuery, options?: CallOptions): Promise<WebhookPage>;
  /**
   * All of them, page after page.
   *
   * @example
   * for await (const { name, url } of client.webhooks.listAll()) console.log(name, url);
   */
  listAll(options?: CallOptions): AsyncGenerator<WebhookBody>;
  /**
   * Gives it another secret; for a day messages are signed with both.
   *
   * @example
   * const { secret } = await client.webhooks.rotate("on-call");
   */
  rotate(name: string, options?: CallOptions): Promise<MadeWebhook>;
  /**
   * Sends it a message `webhook.test`, once.
   *
   * @example
   * const { delivered, detail } = await client.webhooks.test("on-call");
   */
  test(name: string, options?: CallOptions): Promise<WebhookTest>;
  /**
   * Its last messages, the newest first.
   *
   * @example
   * const { deliveries } = await client.webhooks.deliveries("on-call");
   */
  deliveries(name: string, options?: CallOptions): Promise<WebhookDeliveries>;
  /**
   * Deletes a webhook, with what it was still to be told.
   *
   * @example
   * await client.webhooks.delete("on-call");
   */
  delete(name: string, options?: CallOptions): Promise<void>;
}
