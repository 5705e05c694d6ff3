import { readReply } from "./read-reply.ts";
import { quotasReply, usageReply } from "./readers/operator.ts";
import type { Send } from "./send.ts";
import type { CallOptions } from "./types/calls.ts";
import type { QuotaCalls, QuotasBody, SomeQuotas, UsageBody } from "./types/operator.ts";

/** What the token's organization has, beside what it may have. */
export async function usage(send: Send, options: CallOptions = {}): Promise<UsageBody> {
  return readReply(await send({ method: "GET", path: "/v1/usage", ...options }), usageReply);
}

/** What organizations may have: for the operator's own organization. */
export function quotaCalls(send: Send): QuotaCalls {
  const path = (org: string) => `/v1/quotas/${encodeURIComponent(org)}`;
  return {
    async get(org: string, options: CallOptions = {}): Promise<QuotasBody> {
      return readReply(await send({ method: "GET", path: path(org), ...options }), quotasReply);
    },
    async put(org: string, own: Partial<SomeQuotas>, options: CallOptions = {}): Promise<QuotasBody> {
      return readReply(await send({ method: "PUT", path: path(org), json: own, ...options }), quotasReply);
    },
  };
}
