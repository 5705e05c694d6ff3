import * as z from "zod";
import { leaseSecondsSchema, patternsSchema } from "./claims.ts";
import { limitShape } from "./limits.ts";
import { permissionSchema, permissionsInputSchema } from "./permission.ts";
import { cursorSchema, limitSchema } from "./secret.ts";
import { timeSchema } from "./time.ts";

const label = z
  .string()
  .min(1)
  .max(128)
  .refine((text) => !/[\p{Cc}\p{Cs}]/u.test(text), { error: "a label has no control characters" });

/** Patterns of what a grant covers, as a request gives them. */
const limitPatternsSchema = patternsSchema.min(1, { error: "leave the list out for no limit" });

/** The limits of a grant, as a request gives them. */
export const limitsInputShape = limitShape(({ of, example }) =>
  limitPatternsSchema.optional().meta({ description: `Only these ${of}; left out: no limit.`, example: [...example] }),
);

/** The limits of a grant, as replies show them. */
// A Keyhole of before says nothing of a limit that it does not know.
export const limitsShape = limitShape(() => z.array(z.string()).nullable().default(null));

/** What a token or a trust says of leases, as a request gives it. */
export const leaseInputSchema = leaseSecondsSchema.default(0).meta({
  description:
    "For clients that cannot send `Cache-Control`: a resolve without that header is answered as with `max-age` of so many seconds, 0 to 300, `LEASE_SECONDS` at the most. 0, or left out: each answer is a fresh one. No permission, and not inherited: any caller may ask for a lease.",
  example: 60,
});

/** `POST /v1/tokens`. */
export const createTokenSchema = z
  .strictObject({
    label: label.meta({ description: "Who will use it; the audit log names it.", example: "ci-payments" }),
    permissions: permissionsInputSchema,
    ...limitsInputShape,
    expires_in: z.int().min(60).max(31_536_000).meta({ description: "Seconds, 60 to 31,536,000.", example: 3600 }),
    lease_seconds: leaseInputSchema,
  })
  .meta({ id: "CreateToken", example: { label: "ci-payments", permissions: ["secrets:resolve"], secret_scopes: ["repo:acme/payments"], expires_in: 3600 } });
export type CreateTokenBody = z.infer<typeof createTokenSchema>;

const TOKEN_EXAMPLE = {
  id: "tok_1f0c2b7a9d3e4f5a8b6c7d8e9f0a1b2c",
  label: "ci-payments",
  permissions: ["secrets:resolve"],
  secret_scopes: ["repo:acme/payments"],
  secret_names: null,
  services: null,
  created_at: "2026-11-21T12:00:00.000Z",
  created_by: "developer",
  expires_at: "2026-11-21T13:00:00.000Z",
  lease_seconds: 0,
  revoked_at: null,
};

/** A token as lists show it: everything but the token itself. */
const tokenSchema = z
  .object({
    id: z.string().meta({ example: "tok_1f0c2b7a9d3e4f5a8b6c7d8e9f0a1b2c" }),
    label: z.string(),
    permissions: z.array(permissionSchema),
    ...limitsShape,
    created_at: timeSchema,
    created_by: z.string(),
    expires_at: timeSchema,
    lease_seconds: leaseSecondsSchema,
    revoked_at: timeSchema.nullable(),
  })
  .meta({ id: "Token", description: "A token's description; the token itself is not stored.", example: TOKEN_EXAMPLE });
export type TokenBody = z.infer<typeof tokenSchema>;

export const createTokenReplySchema = tokenSchema
  .extend({ token: z.string().meta({ description: "The token. It is shown this once.", example: "eyJhbGciOiJFZERTQSJ9.e30.c2ln" }) })
  .meta({ id: "CreateTokenReply", example: { ...TOKEN_EXAMPLE, token: "eyJhbGciOiJFZERTQSJ9.e30.c2ln" } });
export type CreateTokenReply = z.infer<typeof createTokenReplySchema>;

/** `GET /v1/tokens`. */
export const listTokensSchema = z.strictObject({ limit: limitSchema, cursor: cursorSchema });
export const listTokensReplySchema = z
  .object({ tokens: z.array(tokenSchema), next_cursor: z.string().nullable() })
  .meta({ id: "TokenList", example: { tokens: [TOKEN_EXAMPLE], next_cursor: null } });

/** `GET /v1/whoami`. */
export const whoamiSchema = z
  .object({
    org: z.string(),
    sub: z.string(),
    token_id: z.string().nullable(),
    permissions: z.array(permissionSchema),
    ...limitsShape,
    expires_at: timeSchema.nullable(),
    lease_seconds: leaseSecondsSchema.meta({ description: "The lease that a resolve without `Cache-Control` asks for, in seconds." }),
  })
  .meta({
    id: "Whoami",
    example: {
      org: "acme",
      sub: "token:ci-payments",
      token_id: TOKEN_EXAMPLE.id,
      permissions: ["secrets:resolve"],
      secret_scopes: ["repo:acme/payments"],
      secret_names: null,
      services: null,
      expires_at: "2026-11-21T13:00:00.000Z",
      lease_seconds: 0,
    },
  });
