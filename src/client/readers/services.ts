import type { ServiceBody, ServicePage } from "../types/services.ts";
import { anything, count, flag, listOf, objectOf, optional, orNull, pageOf, type Reader, recordOf, text, time, word } from "./reader.ts";

export const serviceBody: Reader<ServiceBody> = objectOf({
  name: text,
  preset: orNull(word()),
  allow: listOf(objectOf({ methods: listOf(text), paths: listOf(text), query: optional(recordOf(text)), targets: optional(listOf(text)) })),
  builtin: flag,
  revision: optional(count),
  origins: optional(recordOf(text)),
  scopes: optional(listOf(text)),
  inject: optional(listOf(injection)),
  redirects: optional(listOf(text)),
  websocket: optional(flag),
  basic: optional(flag),
  ranges: optional(flag),
  audit: optional(text),
  max_body_bytes: optional(count),
  max_seconds: optional(count),
  uses_per_minute: optional(count),
  url_fields: optional(listOf(text)),
  created_at: optional(time),
  created_by: optional(text),
  updated_at: optional(time),
  updated_by: optional(text),
});
export const servicePage: Reader<ServicePage> = pageOf("services", serviceBody);

/** A credential, of a kind that a later service may have added: what it says is shown as it is. */
function injection(value: unknown, at: string): { in: string; [member: string]: unknown } {
  const members = recordOf(anything)(value, at);
  return { ...members, in: text(members.in, `${at}/in`) };
}
