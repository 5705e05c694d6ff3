import type { LoginBody, LoginPage } from "../types/logins.ts";
import { count, flag, listOf, objectOf, orNull, pageOf, type Reader, recordOf, text, time } from "./reader.ts";
import { limits, permissions } from "./tokens.ts";

export const loginBody: Reader<LoginBody> = objectOf({
  name: text,
  issuer: text,
  client_id: text,
  client_secret: orNull(objectOf({ scope: text, name: text })),
  scopes: listOf(text),
  claims: recordOf(text),
  permissions,
  ...limits,
  expires_in: count,
  callback: text,
  suspended: flag,
  created_at: time,
  created_by: text,
  updated_at: time,
  updated_by: text,
});
export const loginPage: Reader<LoginPage> = pageOf("logins", loginBody);
