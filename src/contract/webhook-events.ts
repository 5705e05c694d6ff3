/** What webhooks tell of, and what whoever makes one has to be allowed to read of it. */
export const WEBHOOK_EVENTS = {
  "secret.rotation_due": "secrets:read",
  "secret.expiring": "secrets:read",
  "secret.expired": "secrets:read",
  "calls.refused": "audit:read",
  "integrity.failed": "audit:read",
} as const;
export type WebhookEvent = keyof typeof WEBHOOK_EVENTS;
/** Their names. */
export const WEBHOOK_EVENT_NAMES = Object.keys(WEBHOOK_EVENTS) as readonly WebhookEvent[];
/** What became of a message. */
export const DELIVERY_STATES = ["waiting", "delivered", "given-up"] as const;
