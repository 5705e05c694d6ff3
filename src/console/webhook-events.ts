import type { WebhookEvent } from "../contract/webhook-events.ts";

/** What each event of a webhook is about, for people. */
export const EVENT_TITLES: Readonly<Record<WebhookEvent, string>> = {
  "secret.rotation_due": "a new value is due",
  "secret.expiring": "a secret expires within a week",
  "secret.expired": "a secret has expired",
  "calls.refused": "many calls are refused",
  "integrity.failed": "something stored is not as it was signed",
};
