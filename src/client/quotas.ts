import { type QuotasBody, quotasSchema, type SomeQuotas, type UsageBody, usageSchema } from "../contract/quota.ts";
import { readReply } from "./read-reply.ts";
import type { CallOptions, Send } from "./send.ts";

/** What the token's organization has, beside what it may have. */
export async function usage(send: Send, options: CallOptions = {}): Promise<UsageBody> {
  return readReply(await send({ method: "GET", path: "/v1/usage", ...options }), usageSchema);
}

/** What organizations may have: for the operator's own organization. */
export function quotaCalls(send: Send) {
  const path = (org: string) => `/v1/quotas/${encodeURIComponent(org)}`;
  return {
    /** What an organization may have, and what of that was set for it alone. */
    async get(org: string, options: CallOptions = {}): Promise<QuotasBody> {
      return readReply(await send({ method: "GET", path: path(org), ...options }), quotasSchema);
    },
    /** Sets all that differs from what every organization may have; `{}` takes that back. */
    async put(org: string, own: Partial<SomeQuotas>, options: CallOptions = {}): Promise<QuotasBody> {
      return readReply(await send({ method: "PUT", path: path(org), json: own, ...options }), quotasSchema);
    },
  };
}
