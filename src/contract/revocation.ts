import * as z from "zod";
import { cursorSchema, limitSchema } from "./secret.ts";
import { timeInputSchema, timeSchema } from "./time.ts";

const issuerInputSchema = z
  .string()
  .min(1)
  .max(512)
  .meta({ description: "Whose token or subject it is; left out: this deployment's own.", example: "https://login.example.org/" });

/** `POST /v1/revocations`: exactly one of `token_id`, `subject` and `issued_before`. */
export const createRevocationSchema = z
  .strictObject({
    token_id: z
      .string()
      .min(1)
      .max(128)
      .regex(/^[^[]/, { error: "the id alone; whose token it is belongs into issuer" })
      .optional()
      .meta({ description: "The token with this id (`jti`), in the list or not, and what it minted.", example: "tok_1f0c2b7a9d3e4f5a8b6c7d8e9f0a1b2c" }),
    subject: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .meta({ description: "All tokens of this subject (`sub`), also those that it will have.", example: "token:ci-payments" }),
    issued_before: timeInputSchema.optional().meta({
      description: "All tokens of the organization that were issued until then, that second included. Not in the future.",
      example: "2026-11-21T12:00:00Z",
    }),
    issuer: issuerInputSchema.optional(),
  })
  .refine(({ token_id, subject, issued_before }) => [token_id, subject, issued_before].filter((each) => each !== undefined).length === 1, {
    error: "exactly one of token_id, subject and issued_before",
  })
  .refine(({ issued_before, issuer }) => issued_before === undefined || issuer === undefined, { error: "issued_before is of all issuers", path: ["issuer"] })
  .meta({ id: "CreateRevocation", example: { subject: "token:ci-payments" } });
export type CreateRevocationBody = z.infer<typeof createRevocationSchema>;

const EXAMPLE = {
  number: 7,
  kind: "subject" as const,
  token_id: null,
  subject: "token:ci-payments",
  issuer: null,
  trust: null,
  issued_before: null,
  revoked_at: "2026-11-21T12:00:00.000Z",
};

const revocationSchema = z
  .object({
    number: z.int().meta({ description: "Counts within an organization." }),
    kind: z.enum(["token", "subject", "trust", "issued-before"]),
    token_id: z.string().nullable(),
    subject: z.string().nullable(),
    issuer: z.string().nullable().meta({ description: "Whose token or subject it is; null for this deployment's own." }),
    trust: z.string().nullable().meta({ description: "`<name>#<revision>`: that revision of a trust, which was changed, deleted or suspended." }),
    issued_before: timeSchema.nullable().meta({ description: "Tokens that were issued until then." }),
    revoked_at: timeSchema,
  })
  .meta({ id: "Revocation", example: EXAMPLE });
export type RevocationBody = z.infer<typeof revocationSchema>;

export const createRevocationReplySchema = revocationSchema
  .extend({
    suspended_trusts: z.array(z.string()).meta({ description: "The trusts that were made under what is revoked: nothing is exchanged under them any more." }),
  })
  .meta({ id: "CreateRevocationReply", example: { ...EXAMPLE, suspended_trusts: [] } });

/** `GET /v1/revocations`. */
export const listRevocationsSchema = z.strictObject({ limit: limitSchema, cursor: cursorSchema });
export const listRevocationsReplySchema = z
  .object({ revocations: z.array(revocationSchema), next_cursor: z.string().nullable() })
  .meta({ id: "RevocationList", example: { revocations: [EXAMPLE], next_cursor: null } });
