import * as z from "zod";
import { limitShape } from "./limits.ts";
import { orgSchema } from "./org-name.ts";
import { patternSchema } from "./pattern.ts";

/** The longest token that is looked at, in characters. */
export const MAX_TOKEN_LENGTH = 8192;
/** The longest identity token: it may list every group that a person is in. */
export const MAX_IDENTITY_LENGTH = 16_384;

/** How many patterns one limit of a grant may hold. */
export const MAX_PATTERNS = 64;
export const patternsSchema = z.array(patternSchema).max(MAX_PATTERNS);

/** From how many others a token may descend, one from the other. */
export const MAX_ANCESTORS = 8;

/** For how many seconds a token asks for a lease where its holder's request says nothing of that; 0 for never. */
export const leaseSecondsSchema = z.int().min(0).max(300);

/** The claims of Keyhole's own access tokens, beside the registered ones that the JWT library checks (RFC 9068). */
export const claimsSchema = z.object({
  sub: z.string().min(1).max(256),
  org: orgSchema,
  scope: z.string().max(1024),
  iss: z.string(),
  jti: z.string().min(1).max(128),
  iat: z.number(),
  // No later than the last second that RFC 3339 can write: another issuer's token may say anything.
  exp: z.number().max(253_402_300_799),
  /** What it was made from: references of tokens, and the revision of a trust. Who has it has a row, too. */
  anc: z.array(z.string().min(1).max(300)).max(MAX_ANCESTORS).optional(),
  ...limitShape(() => patternsSchema.optional()),
  lease_seconds: leaseSecondsSchema.optional(),
});
