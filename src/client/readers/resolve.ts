import type { Unavailable } from "../../contract/unavailable-reasons.ts";
import type { Explanation, LeaseReply, ReleasedSecret, ResolveOneReply, ResolveReply } from "../types/resolve.ts";
import { count, flag, listOf, objectOf, optional, orNull, type Reader, recordOf, text, time, word } from "./reader.ts";
import { encoding } from "./secrets.ts";

const released = { value: text, encoding, scope: text, id: text, version: count, store_version: optional(text) };
const lease: Reader<LeaseReply> = objectOf({ id: text, until: time, expires_in: count });
export const unavailable: Reader<Unavailable> = objectOf({ name: text, reason: word() });

export const resolveReply: Reader<ResolveReply> = objectOf({
  secrets: recordOf(objectOf<ReleasedSecret>(released)),
  missing: listOf(text),
  expired: optional(listOf(text)),
  unavailable: optional(listOf(unavailable)),
  skipped: optional(listOf(text)),
  searched: listOf(text),
  lease: optional(lease),
});

export const resolveOneReply: Reader<ResolveOneReply> = objectOf({ name: text, ...released, lease: optional(lease) });

export const envReply: Reader<Record<string, string>> = recordOf(text);

export const explanation: Reader<Explanation> = objectOf({
  name: text,
  winner: orNull(objectOf({ scope: text, id: text, version: count })),
  candidates: listOf(objectOf({ scope: text, found: flag, id: optional(text), version: optional(count), expired: optional(flag), locked: optional(flag) })),
  locked_by: optional(text),
});
