import * as z from "zod";
import { whole } from "./grammar.ts";
import { cursorSchema, limitSchema } from "./secret.ts";
import { timeSchema } from "./time.ts";
import { DELIVERY_STATES, WEBHOOK_EVENT_NAMES } from "./webhook-events.ts";

/** How long before it expires a secret is `secret.expiring`, in days. */
export const EXPIRING_DAYS = 7;

/** The name of a webhook. */
export const webhookNameSchema = z
  .string()
  .regex(whole("[a-z0-9][a-z0-9-]{0,62}"), { error: "a webhook's name is up to 63 small letters, digits or '-' and starts with a letter or digit" })
  .meta({ description: "The name of a webhook.", example: "on-call" });

const urlSchema = z
  .url({ error: "an https URL" })
  .max(2_048)
  .refine((text) => !text.includes("#"), { error: "an address without a fragment" })
  .meta({
    description: "Where messages are sent: https, port 443, a public name. It is shown to whoever may write webhooks.",
    example: "https://hooks.example.com/keyhole",
  });
const eventsSchema = z
  .array(z.enum(WEBHOOK_EVENT_NAMES))
  .min(1)
  .max(WEBHOOK_EVENT_NAMES.length)
  .refine((events) => new Set(events).size === events.length, { error: "each event once" })
  .meta({
    description: `What it is told of. \`secret.…\` needs \`secrets:read\`, and is told of the secrets that the grant of its maker covers; the others need \`audit:read\`. A secret is expiring ${EXPIRING_DAYS} days before it expires.`,
    example: ["secret.rotation_due", "calls.refused"],
  });
const thresholdSchema = z.int().min(1).max(1_000_000).meta({ description: "How many refused calls in a minute are `calls.refused`.", example: 60 });

/** `PUT /v1/webhooks/{name}`. */
export const putWebhookSchema = z
  .strictObject({ url: urlSchema, events: eventsSchema, refused_per_minute: thresholdSchema.default(60) })
  .meta({ id: "PutWebhook", example: { url: "https://hooks.example.com/keyhole", events: ["secret.rotation_due", "calls.refused"], refused_per_minute: 60 } });
export type WebhookDefinition = z.output<typeof putWebhookSchema>;

const EXAMPLE = {
  name: "on-call",
  revision: 1,
  url: "https://hooks.example.com/keyhole",
  events: ["secret.rotation_due" as const, "calls.refused" as const],
  refused_per_minute: 60,
  previous_secret_until: null,
  created_at: "2026-11-21T12:00:00.000Z",
  created_by: "alice",
  updated_at: "2026-11-21T12:00:00.000Z",
  updated_by: "alice",
};
const shown = {
  name: webhookNameSchema,
  revision: z.int().meta({ description: "Counts its changes." }),
  url: z.string(),
  events: z.array(z.enum(WEBHOOK_EVENT_NAMES)),
  refused_per_minute: z.int(),
  previous_secret_until: timeSchema.nullable().meta({ description: "Until when messages are signed with the secret of before, too." }),
  created_at: timeSchema,
  created_by: z.string(),
  updated_at: timeSchema,
  updated_by: z.string(),
};

/** A webhook, as it is shown. */
export const webhookSchema = z.object(shown).meta({ id: "Webhook", example: EXAMPLE });
export type WebhookBody = z.infer<typeof webhookSchema>;

/** A webhook that was made or changed. */
export const madeWebhookSchema = z
  .object({
    ...shown,
    secret: z.string().optional().meta({
      description:
        "What messages are signed with, as Standard Webhooks has it. It is given once: when the webhook is new, has another address, or another secret.",
    }),
  })
  .meta({ id: "MadeWebhook", example: { ...EXAMPLE, secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=" } });
export type MadeWebhookBody = z.infer<typeof madeWebhookSchema>;

export const listWebhooksSchema = z.strictObject({ limit: limitSchema, cursor: cursorSchema });
export const listWebhooksReplySchema = z
  .object({ webhooks: z.array(webhookSchema), next_cursor: z.string().nullable() })
  .meta({ id: "WebhookList", example: { webhooks: [EXAMPLE], next_cursor: null } });

/** `POST /v1/webhooks/{name}/test`. */
export const testWebhookReplySchema = z
  .object({
    delivered: z.boolean().meta({ description: "Whether the address answered with a status of 200 to 299." }),
    status: z.int().nullable().meta({ description: "The status that it answered with; `null` where it did not." }),
    detail: z.string().meta({ description: "For people. Nothing that the address said is in it." }),
  })
  .meta({ id: "WebhookTest", example: { delivered: true, status: 200, detail: "The message was taken." } });
export type WebhookTest = z.infer<typeof testWebhookReplySchema>;

const deliverySchema = z.object({
  id: z.string().meta({ description: "The header `webhook-id` of the message, the same in each attempt." }),
  event: z.enum(WEBHOOK_EVENT_NAMES),
  state: z.enum(DELIVERY_STATES),
  attempts: z.int(),
  status: z.int().nullable().meta({ description: "What the address answered last; `null` where it did not." }),
  created_at: timeSchema,
  next_at: timeSchema.nullable().meta({ description: "When it is tried again." }),
  done_at: timeSchema.nullable(),
});

/** `GET /v1/webhooks/{name}/deliveries`. */
export const deliveriesReplySchema = z.object({ deliveries: z.array(deliverySchema) }).meta({
  id: "WebhookDeliveries",
  example: {
    deliveries: [
      {
        id: "msg_0b6ae8a2c5f64f0c9a2f7d0d5b1c3e4f",
        event: "secret.expired" as const,
        state: "delivered" as const,
        attempts: 1,
        status: 200,
        created_at: "2026-11-21T12:00:00.000Z",
        next_at: null,
        done_at: "2026-11-21T12:00:02.000Z",
      },
    ],
  },
});
export type DeliveriesBody = z.infer<typeof deliveriesReplySchema>;
