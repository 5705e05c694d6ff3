import { ACCESS_TOKEN_TYPE } from "../../contract/exchange.ts";
import type { ExchangeReply, TrustBody, TrustPage, TrustRefusal, TrustTest } from "../types/trusts.ts";
import { anything, count, flag, listOf, objectOf, oneOf, orNull, pageOf, type Reader, recordOf, text, time } from "./reader.ts";
import { limits, permissions } from "./tokens.ts";

export const trustBody: Reader<TrustBody> = objectOf({
  name: text,
  issuer: text,
  audience: text,
  claims: recordOf(text),
  permissions,
  ...limits,
  expires_in: count,
  reuse: oneOf("until-expiry", "once"),
  jwks_url: orNull(text),
  jwks: orNull(objectOf({ keys: listOf(recordOf(anything)) })),
  lease_seconds: count,
  suspended: flag,
  created_at: time,
  created_by: text,
  updated_at: time,
  updated_by: text,
});
export const trustPage: Reader<TrustPage> = pageOf("trusts", trustBody);

export const trustTest: Reader<TrustTest> = objectOf({
  accepted: flag,
  refusal: orNull(text),
  conditions: listOf(objectOf({ claim: text, pattern: text, matched: flag })),
  secret_scopes: orNull(listOf(objectOf({ template: text, scope: orNull(text) }))),
});

const refusal: Reader<TrustRefusal> = objectOf({ reason: text, about: orNull(text), count, first_at: time, last_at: time });
export const refusalList: Reader<{ refusals: TrustRefusal[] }> = objectOf({ refusals: listOf(refusal) });

/** What is no bearer token is not sent as one. */
export const exchangeReply: Reader<ExchangeReply> = objectOf({
  access_token: text,
  issued_token_type: oneOf(ACCESS_TOKEN_TYPE),
  token_type: oneOf("Bearer"),
  expires_in: count,
  scope: text,
});
