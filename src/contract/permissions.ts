/** What a token may do. `config_vars:resolve` is an older name of `secrets:resolve` and is read as that. */
export const PERMISSIONS = [
  "secrets:read",
  "secrets:write",
  "secrets:resolve",
  "secrets:use",
  "services:write",
  "stores:write",
  "webhooks:write",
  "tokens:write",
  "trusts:write",
  "audit:read",
  "audit:write",
  "metrics:read",
  "keys:read",
  "keys:write",
  "backup:read",
  "backup:write",
] as const;
export type Permission = (typeof PERMISSIONS)[number];
