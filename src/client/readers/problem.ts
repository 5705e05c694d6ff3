import { OAUTH_ERRORS } from "../../contract/exchange.ts";
import type { ProblemBody } from "../../contract/problems.ts";
import { count, listOf, objectOf, oneOf, optional, type Reader, text, word } from "./reader.ts";
import { unavailable } from "./resolve.ts";

const texts = optional(listOf(text));

/** A problem reply (RFC 9457). A code that is not known here, of a later service, is an error like the others: its status says what kind. */
export const problem: Reader<ProblemBody> = objectOf({
  type: text,
  title: text,
  status: count,
  code: word(),
  detail: text,
  request_id: text,
  errors: optional(listOf(objectOf({ pointer: text, detail: text }))),
  missing: texts,
  locked: texts,
  expired: texts,
  unavailable: optional(listOf(unavailable)),
  searched: texts,
});

/** An error of the token endpoint (RFC 6749, section 5.2). */
export const oauthError = objectOf<{ error: string; error_description: string }>({ error: oneOf(...OAUTH_ERRORS), error_description: text });
