import { SKIPPABLE } from "../../contract/doubts.ts";
import type { ProblemCode } from "../../contract/problems.ts";
import type {
  Encoding,
  ImportObjectReply,
  ImportReply,
  KeptSource,
  SecretBody,
  SecretPage,
  SetSecretReply,
  VersionBody,
  VersionPage,
} from "../types/secrets.ts";
import { count, flag, listOf, objectOf, oneOf, optional, orElse, orNull, pageOf, type Reader, recordOf, text, time, word } from "./reader.ts";

export const encoding: Reader<Encoding> = oneOf("utf8", "base64");

const source: Reader<KeptSource> = objectOf({ store: text, key: text, field: optional(text), version: optional(text), written: optional(text) });

const members = {
  id: text,
  name: text,
  scope: text,
  version: count,
  description: orNull(text),
  labels: recordOf(text),
  expires_at: orNull(time),
  rotate_after_days: orNull(count),
  locked: flag,
  variable: flag,
  hosts: orElse(listOf(text), []),
  max_lease_seconds: orNull(count),
  encoding,
  source: orElse(orNull(source), null),
  created_at: time,
  created_by: text,
  updated_at: time,
  updated_by: text,
  rotation_due: flag,
  last_resolved_at: orNull(time),
  deleted_at: orElse(orNull(time), null),
  deleted_until: orElse(orNull(time), null),
};

export const secretBody: Reader<SecretBody> = objectOf(members);
export const setSecretReply: Reader<SetSecretReply> = objectOf({ ...members, changed: flag });
export const secretPage: Reader<SecretPage> = pageOf("secrets", secretBody);

const version: Reader<VersionBody> = objectOf({
  version: count,
  created_at: time,
  created_by: text,
  state: oneOf("current", "previous", "destroyed"),
  store_version: orElse(orNull(text), null),
});
export const versionPage: Reader<VersionPage> = pageOf("versions", version);

export const importReply: Reader<ImportReply> = objectOf({
  created: listOf(text),
  updated: listOf(text),
  unchanged: listOf(text),
  skipped: optional(listOf(objectOf({ name: text, reason: oneOf(...SKIPPABLE) }))),
  failed: optional(listOf(objectOf({ name: text, code: word<ProblemCode>(), detail: text }))),
});

export const importObjectReply: Reader<ImportObjectReply> = objectOf({
  new: listOf(text),
  same: listOf(text),
  different: listOf(text),
  custom_metadata: orNull(oneOf("new", "same", "different")),
  written: flag,
});
