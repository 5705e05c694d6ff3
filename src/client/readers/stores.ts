import { STORE_KINDS } from "../../contract/store-key.ts";
import type { SecretRef, StoreBody, StoreCheck, StorePage } from "../types/stores.ts";
import { count, flag, listOf, objectOf, oneOf, optional, orNull, pageOf, type Reader, recordOf, text, time } from "./reader.ts";

const ref: Reader<SecretRef> = objectOf({ secret_key_ref: objectOf({ scope: text, store: text }) });
const credential: Reader<string | SecretRef> = (value, at) => (typeof value === "string" ? value : ref(value, at));

export const storeBody: Reader<StoreBody> = objectOf({
  name: text,
  kind: oneOf(...STORE_KINDS),
  revision: count,
  region: optional(text),
  role_arn: optional(text),
  endpoint: optional(text),
  vault_url: optional(text),
  tenant_id: optional(text),
  client_id: optional(text),
  address: optional(text),
  mount: optional(text),
  namespace: optional(text),
  credentials: optional(recordOf(credential)),
  allow: listOf(objectOf({ scopes: listOf(text), keys: listOf(text) })),
  write: optional(flag),
  refresh_seconds: count,
  stale_seconds: count,
  identity: orNull(objectOf({ issuer: text, subject: text, audience: text })),
  created_at: time,
  created_by: text,
  updated_at: time,
  updated_by: text,
});
export const storePage: Reader<StorePage> = pageOf("stores", storeBody);

export const storeCheck: Reader<StoreCheck> = objectOf({
  ok: flag,
  tried: oneOf("list", "read"),
  found: orNull(flag),
  fails: orNull(oneOf("address", "credential", "permission", "store")),
  detail: text,
});
