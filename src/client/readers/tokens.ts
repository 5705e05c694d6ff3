import type { Permission } from "../../contract/permissions.ts";
import type { CreateTokenReply, TokenBody, TokenPage, Whoami } from "../types/tokens.ts";
import { count, listOf, objectOf, orElse, orNull, pageOf, type Reader, text, time, word } from "./reader.ts";

/** A service of before says nothing of a limit that it does not know. */
const limit = orElse(orNull(listOf(text)), null);
export const limits = { secret_scopes: limit, secret_names: limit, services: limit };
export const permissions: Reader<Permission[]> = listOf(word());

const members = {
  id: text,
  label: text,
  permissions,
  ...limits,
  created_at: time,
  created_by: text,
  expires_at: time,
  lease_seconds: count,
  revoked_at: orNull(time),
};

const token: Reader<TokenBody> = objectOf(members);
export const tokenPage: Reader<TokenPage> = pageOf("tokens", token);
export const createTokenReply: Reader<CreateTokenReply> = objectOf({ ...members, token: text });

export const whoamiReply: Reader<Whoami> = objectOf({
  org: text,
  sub: text,
  token_id: orNull(text),
  permissions,
  ...limits,
  expires_at: orNull(time),
  lease_seconds: count,
});
