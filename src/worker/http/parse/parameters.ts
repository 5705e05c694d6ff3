import * as z from "zod";
import { BASE64_HEADER } from "../../../contract/base64-names.ts";
import { DELETED_UNTIL_HEADER } from "../../../contract/deleted-until.ts";
import { EMPTY_SCOPES_HEADER } from "../../../contract/empty-scopes.ts";
import { LEFT_OUT_HEADER } from "../../../contract/left-out.ts";

/** The headers of a reply that carries an entity tag, for the API description. */
export const ETAG_HEADER = {
  ETag: { description: "Names this state; for If-Match and If-None-Match.", schema: { type: "string" as const }, example: '"sec_1f0c2b7a9d3e4f5a.3"' },
};

/** The header of a reply of variables that says which names are not there, for the API description. */
export const LEFT_OUT_REPLY_HEADER = {
  [LEFT_OUT_HEADER]: {
    description:
      "With `format=env`, `dotenv` and `docker`, where names are left out: a List of Strings (RFC 9651), each with a `reason`: `skipped` (the variable is reserved), `expired`, `missing`, or why its value cannot be had (`unwritable`: the form cannot say it). The first 40; the last of them says how many `more` there are.",
    schema: { type: "string" as const },
    example: '"user";reason=skipped, "OLD_KEY";reason=expired',
  },
};

/** The header of a reply that says until when what was deleted can come back, for the API description. */
export const DELETED_UNTIL_REPLY_HEADER = {
  [DELETED_UNTIL_HEADER]: {
    description: "Until when it can come back: a String (RFC 9651) with a time. Not there where it is gone for good.",
    schema: { type: "string" as const },
    example: '"2026-11-28T12:00:00.000Z"',
  },
};

/** The header of a reply of variables that says which of them are base64, for the API description. */
export const BASE64_REPLY_HEADER = {
  [BASE64_HEADER]: {
    description:
      "With `format=env`, `dotenv` and `docker`, the variables that are base64 of bytes: a List of Strings (RFC 9651). The first 40; the last of them says how many `more` there are.",
    schema: { type: "string" as const },
    example: '"TLS_KEYSTORE"',
  },
};

/** The header of a reply that says where something new is, for the API description. */
export const LOCATION_HEADER = {
  Location: { description: "Where it is.", schema: { type: "string" as const }, example: "/v1/secrets/sec_1f0c2b7a9d3e4f5a8b6c7d8e9f0a1b2c" },
};

/** A secret's id in a path. */
export const secretIdSchema = z.string().max(64).meta({ description: "A secret's id.", example: "sec_1f0c2b7a9d3e4f5a8b6c7d8e9f0a1b2c" });

/**
 * The headers of a conditional write, for the API description. They have a grammar of their own, which
 * `parsePrecondition` reads: a schema would only make each request list all its headers.
 */
export const WRITE_CONDITIONS = [
  conditionHeader("If-Match", "Write only if the secret has one of these entity tags (or `*`: if it exists).", ETAG_HEADER.ETag.example),
  conditionHeader("If-None-Match", "`*`: write only if the secret does not exist.", "*"),
];

/** The headers of a resolve, for the API description. */
export const RESOLVE_CONDITIONS = [
  conditionHeader("If-None-Match", "The ETag of what you hold: 304 when nothing changed.", ETAG_HEADER.ETag.example),
  conditionHeader(
    "Cache-Control",
    "`max-age=N` asks for a lease: the answer may be up to N seconds old, and the same may be given again from the same address to the same question, `LEASE_SECONDS` at the most. With any other directive each answer is a fresh one, as it is without the header unless the token has `lease_seconds`.",
    "max-age=60",
  ),
];

/** The headers of a resolve's reply, for the API description. */
export const RESOLVE_HEADERS = {
  ...ETAG_HEADER,
  [EMPTY_SCOPES_HEADER]: {
    description: "Those of the scopes asked for that nobody has declared and that hold no secret, most likely misspelled: a List of Strings (RFC 9651).",
    schema: { type: "string" as const },
    example: '"namespace:prodd"',
  },
  Age: {
    description: "How old the answer is, in seconds (RFC 9111, section 5.1). There when it was given under a lease.",
    schema: { type: "integer" as const },
    example: 0,
  },
};

function conditionHeader(name: string, description: string, example: string) {
  return { name, in: "header" as const, required: false, description, schema: { type: "string" as const, example }, example };
}
