import type { DeletedScope, ScopeBody, ScopePage, ScopeSync } from "../types/scopes.ts";
import { count, flag, listOf, objectOf, orElse, orNull, pageOf, type Reader, text, time, word } from "./reader.ts";

export const scopeBody: Reader<ScopeBody> = objectOf({
  scope: text,
  parent: orNull(text),
  secrets: count,
  store: orElse(orNull(text), null),
  prefix: orElse(orNull(text), null),
});
export const scopePage: Reader<ScopePage> = pageOf("scopes", scopeBody);

export const scopeSync: Reader<ScopeSync> = objectOf({
  created: listOf(text),
  present: count,
  skipped: listOf(objectOf({ key: text, reason: word<ScopeSync["skipped"][number]["reason"]>() })),
  skipped_more: orElse(count, 0),
  missing: listOf(text),
  remaining: count,
  complete: flag,
});

export const deletedScope: Reader<DeletedScope> = objectOf({ deleted: count, remaining: count, deleted_until: orElse(orNull(time), null) });
