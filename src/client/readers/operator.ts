import { QUOTA_NAMES, type Quota } from "../../contract/quota-names.ts";
import type { KeysReply, QuotasBody, RewrapReply, SealedReply, SomeQuotas, UnsealedReply, UsageBody } from "../types/operator.ts";
import { count, flag, listOf, objectOf, oneOf, optional, orElse, orNull, type Reader, recordOf, text, textOrNumber } from "./reader.ts";

export const keysReply: Reader<KeysReply> = objectOf({
  counted: oneOf("deployment", "organization"),
  keys: listOf(objectOf({ id: text, current: flag, versions: count, archives: count, seals: count, tokens: count, available: flag })),
});
export const rewrapReply: Reader<RewrapReply> = objectOf({ rewrapped: count, remaining: count });

export const unsealedReply: Reader<UnsealedReply> = objectOf({
  rows: listOf(objectOf({ table: text, org: text, columns: recordOf(orNull(textOrNumber)), broken: flag })),
  digest: text,
  more: flag,
});
export const sealedReply: Reader<SealedReply> = objectOf({ sealed: count, more: flag });

function byQuota<T>(read: Reader<T>): Reader<Record<Quota, T>> {
  return objectOf(Object.fromEntries(QUOTA_NAMES.map((name) => [name, read])) as Record<Quota, Reader<T>>);
}

export const quotasReply: Reader<QuotasBody> = objectOf({ org: text, own: byQuota(optional(count)) as Reader<SomeQuotas>, quotas: byQuota(count) });
export const usageReply: Reader<UsageBody> = objectOf({
  org: text,
  usage: byQuota(objectOf({ used: count, limit: count })),
  earlier_versions: count,
  deleted_secrets: orElse(count, 0),
});
