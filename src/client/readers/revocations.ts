import type { CreateRevocationReply, RevocationBody, RevocationPage } from "../types/revocations.ts";
import { count, listOf, objectOf, oneOf, orNull, pageOf, type Reader, text, time } from "./reader.ts";

const members = {
  number: count,
  kind: oneOf("token", "subject", "trust", "issued-before"),
  token_id: orNull(text),
  subject: orNull(text),
  issuer: orNull(text),
  trust: orNull(text),
  issued_before: orNull(time),
  revoked_at: time,
};

const revocation: Reader<RevocationBody> = objectOf(members);
export const revocationPage: Reader<RevocationPage> = pageOf("revocations", revocation);
export const createRevocationReply: Reader<CreateRevocationReply> = objectOf({ ...members, suspended_trusts: listOf(text) });
