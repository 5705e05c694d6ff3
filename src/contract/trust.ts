import * as z from "zod";
import { CLAIM } from "./claim-path.ts";
import { leaseSecondsSchema, MAX_PATTERNS } from "./claims.ts";
import { ACCESS_TOKEN_TYPE, JWT_TOKEN_TYPE, OAUTH_ERRORS, TOKEN_EXCHANGE } from "./exchange.ts";
import { MAX_SCOPE_LENGTH, NAME, whole } from "./grammar.ts";
import { limitShape } from "./limits.ts";
import { permissionSchema, permissionsInputSchema } from "./permission.ts";
import { cursorSchema, limitSchema } from "./secret.ts";
import { timeSchema } from "./time.ts";
import { leaseInputSchema, limitsInputShape, limitsShape } from "./token.ts";

export { ACCESS_TOKEN_TYPE, JWT_TOKEN_TYPE, OAUTH_ERRORS, TOKEN_EXCHANGE };

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

const claimsSchema = z
  .record(z.string().regex(whole(CLAIM), { error: "neither the name of a claim nor, with a '/' at the beginning, a JSON Pointer to one" }), claimPatternSchema)
  .refine((claims) => Object.keys(claims).length <= 32, { error: "at most 32 claims" })
  // Many issuers sign for everybody: without a condition every one of their users would be let in.
  .refine((claims) => Object.values(claims).some((pattern) => pattern !== "*"), { error: "at least one claim must be tied down to more than '*'" });

const PLACE = `\\$\\{${CLAIM}\\}`;
const TEMPLATE = new RegExp(`^(?:global|builtin|\\*|(?:team|namespace|agent|repo):(?:[A-Za-z0-9._/-]|${PLACE})*\\*?)$`);

/** A scope pattern in which `${claim}` stands for the identity token's claim. */
export const scopeTemplateSchema = z
  .string()
  .min(1)
  .max(MAX_SCOPE_LENGTH + 1)
  .regex(TEMPLATE, { error: "a scope pattern, in which ${claim} stands for a claim of the identity token" })
  // `repo:${owner}*` would match the repositories of every owner whose name begins alike.
  .refine((template) => !template.includes("}*"), { error: "put a separator between ${claim} and '*'" })
  // Of `agent:${owner}-${name}` nobody can say where the owner ends: `a-b` and `c` fill it as `a` and `b-c` do. No name has a `/`.
  .refine((template) => !/\$[^/]*\$/.test(template.replaceAll(new RegExp(PLACE, "g"), "$")), {
    error: "different tokens fill two claims in one part alike (a-b and c, a and b-c): put a '/' between them, or take one claim",
  });

/** How often an identity token is exchanged. */
const reuseSchema = z.enum(["until-expiry", "once"]);
export type Reuse = z.infer<typeof reuseSchema>;

/** The longest JWK Set of a trust, as JSON. */
const MAX_JWKS = 16_384;
const PRIVATE_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
const jwkSchema = z
  .looseObject({ kty: z.enum(["RSA", "EC", "OKP"]).meta({ description: "Keys with a public half only." }) })
  .refine((jwk) => PRIVATE_MEMBERS.every((member) => !Object.hasOwn(jwk, member)), {
    error: "this holds a private key: give its public half only, and retire it",
  });
const jwksSchema = z
  .object({ keys: z.array(jwkSchema).min(1).max(20) })
  .refine((jwks) => JSON.stringify(jwks).length <= MAX_JWKS, { error: "at most 16 KiB of keys" });
export type TrustJwks = z.infer<typeof jwksSchema>;

const TRUST_EXAMPLE = {
  issuer: "https://token.actions.githubusercontent.com",
  audience: "keyhole",
  claims: { repository_owner: "acme", ref: "refs/heads/main" },
  permissions: ["secrets:resolve"],
  secret_scopes: ["repo:${repository}"],
  expires_in: 900,
  reuse: "once" as const,
};

const STORED_EXAMPLE = {
  name: "github",
  ...TRUST_EXAMPLE,
  secret_names: null,
  services: null,
  jwks_url: null,
  jwks: null,
  lease_seconds: 0,
  suspended: false,
  created_at: "2026-11-21T12:00:00.000Z",
  created_by: "developer",
  updated_at: "2026-11-21T12:00:00.000Z",
  updated_by: "developer",
};

/** From claims to a grant: what trusts and logins have alike. */
export const rulesShape = {
  claims: claimsSchema.meta({
    description:
      "What its claims must be; a trailing `*` matches any rest, and of a list one element has to match. A name is that of a claim at the top, exactly; one that begins with `/` is a JSON Pointer (RFC 6901), such as `/kubernetes.io/namespace`.",
    example: { repository_owner: "acme", ref: "refs/heads/main" },
  }),
  permissions: permissionsInputSchema,
  ...limitsInputShape,
  secret_scopes: z
    .array(scopeTemplateSchema)
    .min(1, { error: "leave the list out for no limit" })
    .max(MAX_PATTERNS)
    .optional()
    .meta({ description: "Only these scopes; `${claim}` is filled from the identity token.", example: ["repo:${repository}"] }),
};

/** `PUT /v1/trusts/{name}`. */
export const putTrustSchema = z
  .strictObject({
    issuer: z
      .string()
      .min(1)
      .max(512)
      .regex(/^[^\s\p{Cc}\p{Cs}]+$/u, { error: "an issuer has no spaces" })
      .meta({
        description: "The issuer, exactly as its tokens name it. Without `jwks_url` or `jwks` its keys are found by OpenID Connect Discovery.",
        example: "https://token.actions.githubusercontent.com",
      }),
    jwks_url: z
      .url()
      .max(512)
      .optional()
      .meta({ description: "Where its keys are, if not where its configuration says.", example: "https://issuer.example.org/keys" }),
    jwks: jwksSchema.optional().meta({
      description: "Its keys themselves, for an issuer that the internet cannot see.",
      example: { keys: [{ kty: "OKP", crv: "Ed25519", kid: "k1", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }] },
    }),
    audience: z.string().min(1).max(512).optional().meta({
      description: "What the identity token's `aud` must hold. Left out it is this deployment's own address, such as `https://keyhole.example.workers.dev`.",
      example: "https://keyhole.example.workers.dev",
    }),
    ...rulesShape,
    expires_in: z
      .int()
      .min(60)
      .max(86_400)
      .default(900)
      .meta({ description: "Seconds that the exchanged token is valid, 60 to 86,400; it outlives the identity token by no more than that.", example: 900 }),
    reuse: reuseSchema.optional().meta({
      description:
        "`once`: an identity token is exchanged once; within 60 seconds the same address gets another token for it, and the first is revoked. `until-expiry`: as often as asked. Left out it is `once` for GitHub Actions, and else `until-expiry`.",
      example: "once",
    }),
    lease_seconds: leaseInputSchema,
  })
  .refine(({ jwks, jwks_url }) => jwks === undefined || jwks_url === undefined, { path: ["jwks"], error: "either jwks_url or jwks" })
  .meta({ id: "PutTrust", example: TRUST_EXAMPLE });
export type PutTrustBody = z.infer<typeof putTrustSchema>;

export const trustSchema = z
  .object({
    name: trustNameSchema,
    issuer: z.string(),
    audience: z.string(),
    claims: z.record(z.string(), z.string()),
    permissions: z.array(permissionSchema),
    ...limitsShape,
    expires_in: z.int(),
    reuse: reuseSchema,
    jwks_url: z.string().nullable(),
    jwks: z.object({ keys: z.array(z.looseObject({})) }).nullable(),
    lease_seconds: leaseSecondsSchema,
    suspended: z.boolean().meta({ description: "Whether the token that made it was revoked: nothing is exchanged under it until it is put once more." }),
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

/** `POST /v1/trusts/{name}/test`. */
export const testTrustSchema = z
  .strictObject({
    subject_token: z
      .string()
      .min(1)
      .max(65_536)
      .meta({ description: "An identity token. It is neither kept nor used up.", example: "eyJhbGciOiJSUzI1NiJ9.e30.c2ln" }),
  })
  .meta({ id: "TestTrust", example: { subject_token: "eyJhbGciOiJSUzI1NiJ9.e30.c2ln" } });

export const trustTestSchema = z
  .object({
    accepted: z.boolean().meta({ description: "Whether an exchange would give a token." }),
    refusal: z.string().nullable().meta({ description: "Why not, as the log and `refusals` say it." }),
    conditions: z.array(z.object({ claim: z.string(), pattern: z.string(), matched: z.boolean() })).meta({
      description: "Whether the token fulfils each condition; none are judged of one that is not good.",
    }),
    secret_scopes: z
      .array(z.object({ template: z.string(), scope: z.string().nullable() }))
      .nullable()
      .meta({ description: "What each template would become; `null` where a claim is missing or no name." }),
  })
  .meta({
    id: "TrustTest",
    example: {
      accepted: false,
      refusal: "claim-not-matched",
      conditions: [{ claim: "repository_owner", pattern: "acme", matched: false }],
      secret_scopes: [{ template: "repo:${repository}", scope: "repo:evil/api" }],
    },
  });
export type TrustTest = z.infer<typeof trustTestSchema>;

/** `GET /v1/trusts/{name}/refusals`. */
export const listRefusalsReplySchema = z
  .object({
    refusals: z.array(
      z.object({
        reason: z.string().meta({ description: "From a closed list." }),
        about: z.string().nullable().meta({ description: "The condition or template that the token did not fulfil." }),
        count: z.int().meta({ description: "How often, at least." }),
        first_at: timeSchema,
        last_at: timeSchema,
      }),
    ),
  })
  .meta({
    id: "TrustRefusals",
    example: {
      refusals: [
        { reason: "claim-not-matched", about: "repository_owner", count: 3, first_at: "2026-11-21T12:00:00.000Z", last_at: "2026-11-21T12:05:00.000Z" },
      ],
    },
  });
export type TrustRefusals = z.infer<typeof listRefusalsReplySchema>;

/** `POST /oauth/token`: RFC 8693, section 2.1. */
export const exchangeSchema = z
  .object({
    grant_type: z.string().meta({ example: TOKEN_EXCHANGE }),
    subject_token: z.string().meta({ description: "The identity token, or one's own access token.", example: "eyJhbGciOiJSUzI1NiJ9.e30.c2ln" }),
    subject_token_type: z.string().meta({
      description: `\`${JWT_TOKEN_TYPE}\` for an identity token, \`${ACCESS_TOKEN_TYPE}\` for one's own access token.`,
      example: JWT_TOKEN_TYPE,
    }),
    audience: z.string().optional().meta({ description: "`<org>/<trust name>`, with an identity token and only there.", example: "acme/github" }),
    scope: z.string().optional().meta({
      description: "Space-separated permissions, if fewer than the trust gives, or than one's own token holds.",
      example: "secrets:resolve",
    }),
    ...limitShape(({ of, example }) =>
      z
        .string()
        .optional()
        .meta({
          description: `With one's own access token: only these ${of}, space-separated patterns within those that it holds.`,
          example: example.join(" "),
        }),
    ),
    expires_in: z.string().optional().meta({
      description: "With one's own access token: seconds, 1 to 31,536,000. It lives no longer than that token, whatever is asked for.",
      example: "3600",
    }),
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

/** RFC 6749, section 5.2. */
export const oauthErrorSchema = z
  .object({ error: z.enum(OAUTH_ERRORS), error_description: z.string() })
  .meta({ id: "OAuthError", example: { error: "invalid_request", error_description: "The subject token is not accepted for this audience." } });
