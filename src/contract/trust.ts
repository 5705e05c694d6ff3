import * as z from "zod";
import { MAX_PATTERNS } from "./claims.ts";
import { NAME, whole } from "./grammar.ts";
import { permissionInputSchema, permissionSchema } from "./permission.ts";
import { cursorSchema, limitSchema } from "./secret.ts";
import { timeSchema } from "./time.ts";
import { limitPatternsSchema } from "./token.ts";

/** The name of a trust. */
export const trustNameSchema = z
  .string()
  .regex(whole(NAME), { error: "a trust's name is up to 64 letters, digits, '.', '_' or '-' and starts with a letter or digit" })
  .meta({ description: "The name of a trust.", example: "github" });

/** What a claim must be: a literal, or a prefix followed by `*`. */
const claimPatternSchema = z
  .string()
  .min(1)
  .max(512)
  .refine((text) => /^[^*\p{Cc}\p{Cs}]*\*?$/u.test(text), { error: "a claim's pattern is a literal or a prefix followed by one '*'" });

const CLAIM_NAME = /^[A-Za-z_][A-Za-z0-9_.:/-]{0,127}$/;

const claimsSchema = z
  .record(z.string().regex(CLAIM_NAME, { error: "not the name of a claim" }), claimPatternSchema)
  .refine((claims) => Object.keys(claims).length <= 32, { error: "at most 32 claims" })
  // Many issuers sign for everybody: without a condition every one of their users would be let in.
  .refine((claims) => Object.values(claims).some((pattern) => pattern !== "*"), { error: "at least one claim must be tied down to more than '*'" });

const TEMPLATE = /^(?:global|builtin|\*|(?:team|namespace|agent|repo):(?:[A-Za-z0-9._/-]|\$\{[A-Za-z_][A-Za-z0-9_.:-]{0,127}\})*\*?)$/;

/** A scope pattern in which `${claim}` stands for the identity token's claim. */
export const scopeTemplateSchema = z
  .string()
  .min(1)
  .max(600)
  .regex(TEMPLATE, { error: "a scope pattern, in which ${claim} stands for a claim of the identity token" })
  // `repo:${owner}*` would match the repositories of every owner whose name begins alike.
  .refine((template) => !template.includes("}*"), { error: "put a separator between ${claim} and '*'" });

const TRUST_EXAMPLE = {
  issuer: "https://token.actions.githubusercontent.com",
  audience: "keyhole",
  claims: { repository_owner: "acme", ref: "refs/heads/main" },
  permissions: ["secrets:resolve"],
  secret_scopes: ["repo:${repository}"],
  expires_in: 900,
};

const STORED_EXAMPLE = {
  name: "github",
  ...TRUST_EXAMPLE,
  secret_names: null,
  created_at: "2026-11-21T12:00:00.000Z",
  created_by: "developer",
  updated_at: "2026-11-21T12:00:00.000Z",
  updated_by: "developer",
};

/** `PUT /v1/trusts/{name}`. */
export const putTrustSchema = z
  .strictObject({
    issuer: z.url().max(512).meta({ description: "The issuer, exactly as its tokens name it.", example: "https://token.actions.githubusercontent.com" }),
    audience: z.string().min(1).max(512).meta({ description: "What the identity token's `aud` must hold.", example: "keyhole" }),
    claims: claimsSchema.meta({
      description: "What its claims must be; a trailing `*` matches any rest.",
      example: { repository_owner: "acme", ref: "refs/heads/main" },
    }),
    permissions: z
      .array(permissionInputSchema)
      .min(1)
      .max(16)
      .meta({ example: ["secrets:resolve"] }),
    secret_scopes: z
      .array(scopeTemplateSchema)
      .min(1, { error: "leave the list out for no limit" })
      .max(MAX_PATTERNS)
      .optional()
      .meta({ description: "Only these scopes; `${claim}` is filled from the identity token.", example: ["repo:${repository}"] }),
    secret_names: limitPatternsSchema.optional().meta({ description: "Only these names.", example: ["DEPLOY_*"] }),
    expires_in: z.int().min(60).max(86_400).default(900).meta({ description: "Seconds that the exchanged token is valid, 60 to 86,400.", example: 900 }),
  })
  .meta({ id: "PutTrust", example: TRUST_EXAMPLE });
export type PutTrustBody = z.infer<typeof putTrustSchema>;

export const trustSchema = z
  .object({
    name: trustNameSchema,
    issuer: z.string(),
    audience: z.string(),
    claims: z.record(z.string(), z.string()),
    permissions: z.array(permissionSchema),
    secret_scopes: z.array(z.string()).nullable(),
    secret_names: z.array(z.string()).nullable(),
    expires_in: z.int(),
    created_at: timeSchema,
    created_by: z.string(),
    updated_at: timeSchema,
    updated_by: z.string(),
  })
  .meta({ id: "Trust", example: STORED_EXAMPLE });
export type TrustBody = z.infer<typeof trustSchema>;

/** `GET /v1/trusts`. */
export const listTrustsSchema = z.strictObject({ limit: limitSchema, cursor: cursorSchema });
export const listTrustsReplySchema = z
  .object({ trusts: z.array(trustSchema), next_cursor: z.string().nullable() })
  .meta({ id: "TrustList", example: { trusts: [STORED_EXAMPLE], next_cursor: null } });

export const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
export const JWT_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:jwt";
export const ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token";

/** `POST /oauth/token`: RFC 8693, section 2.1. */
export const exchangeSchema = z
  .object({
    grant_type: z.string().meta({ example: TOKEN_EXCHANGE }),
    subject_token: z.string().meta({ description: "The identity token.", example: "eyJhbGciOiJSUzI1NiJ9.e30.c2ln" }),
    subject_token_type: z.string().meta({ example: JWT_TOKEN_TYPE }),
    audience: z.string().meta({ description: "`<org>/<trust name>`.", example: "acme/github" }),
    scope: z.string().optional().meta({ description: "Space-separated permissions, if fewer than the trust gives.", example: "secrets:resolve" }),
    requested_token_type: z.string().optional().meta({ example: ACCESS_TOKEN_TYPE }),
  })
  .meta({
    id: "TokenExchange",
    example: { grant_type: TOKEN_EXCHANGE, subject_token: "eyJhbGciOiJSUzI1NiJ9.e30.c2ln", subject_token_type: JWT_TOKEN_TYPE, audience: "acme/github" },
  });

/** RFC 8693, section 2.2.1. */
export const exchangeReplySchema = z
  .object({
    access_token: z.string().meta({ example: "eyJhbGciOiJFZERTQSJ9.e30.c2ln" }),
    issued_token_type: z.literal(ACCESS_TOKEN_TYPE),
    token_type: z.literal("Bearer"),
    expires_in: z.int(),
    scope: z.string(),
  })
  .meta({
    id: "TokenExchangeReply",
    example: {
      access_token: "eyJhbGciOiJFZERTQSJ9.e30.c2ln",
      issued_token_type: ACCESS_TOKEN_TYPE,
      token_type: "Bearer",
      expires_in: 900,
      scope: "secrets:resolve",
    },
  });
export type ExchangeReply = z.infer<typeof exchangeReplySchema>;

/** RFC 6749, section 5.2. */
export const OAUTH_ERRORS = ["invalid_request", "invalid_scope", "unsupported_grant_type", "temporarily_unavailable"] as const;
export const oauthErrorSchema = z
  .object({ error: z.enum(OAUTH_ERRORS), error_description: z.string() })
  .meta({ id: "OAuthError", example: { error: "invalid_request", error_description: "The subject token is not accepted for this audience." } });
