/** What an organization may have so much of, and do so often. */
export const QUOTA_NAMES = [
  "secrets",
  "versions",
  "bytes",
  "scopes",
  "tokens",
  "trusts",
  "services",
  "stores",
  "webhooks",
  "revocations",
  "writes_per_minute",
  "events_per_minute",
] as const;
export type Quota = (typeof QUOTA_NAMES)[number];
