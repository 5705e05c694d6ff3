import * as z from "zod";
import { permissionSchema } from "./permission.ts";
import { scopeSchema } from "./scope.ts";
import { cursorSchema, limitSchema } from "./secret.ts";
import { secretNameSchema } from "./secret-name.ts";
import { timeSchema } from "./time.ts";
import { limitsShape } from "./token.ts";
import { rulesShape, trustNameSchema } from "./trust.ts";

/** The name of a login. Logins and trusts share their names: what is called so is one or the other. */
export const loginNameSchema = trustNameSchema.meta({ description: "The name of a login.", example: "google" });

const secretRefSchema = z.strictObject({ scope: scopeSchema, name: secretNameSchema }).meta({
  id: "LoginSecret",
  description: "The secret that has the client's secret. Its `hosts` have the host of the provider's token endpoint.",
  example: { scope: "global", name: "GOOGLE_CLIENT_SECRET" },
});

/** How people log in at a login, beside its rules. */
export interface LoginClient {
  /** `null` for a client that has none, and proves itself by PKCE alone. */
  readonly client_secret: z.output<typeof secretRefSchema> | null;
  /** What is asked of the provider beside `openid`. */
  readonly scopes: readonly string[];
}

const LOGIN_EXAMPLE = {
  issuer: "https://accounts.google.com",
  client_id: "1234.apps.googleusercontent.com",
  client_secret: { scope: "global", name: "GOOGLE_CLIENT_SECRET" },
  scopes: ["email"],
  claims: { hd: "acme.example" },
  permissions: ["secrets:read", "secrets:write"],
  expires_in: 43_200,
};

const STORED_EXAMPLE = {
  name: "google",
  ...LOGIN_EXAMPLE,
  secret_scopes: null,
  secret_names: null,
  services: null,
  callback: "https://keyhole.example.workers.dev/console/callback/acme/google",
  suspended: false,
  created_at: "2026-11-28T12:00:00.000Z",
  created_by: "developer",
  updated_at: "2026-11-28T12:00:00.000Z",
  updated_by: "developer",
};

const SCOPE_TOKEN = /^[\x21\x23-\x5B\x5D-\x7E]+$/;

/** `PUT /v1/logins/{name}`. */
export const putLoginSchema = z
  .strictObject({
    issuer: z.url().max(512).meta({
      description: "The OpenID provider, exactly as its configuration names it. Its addresses are found by OpenID Connect Discovery.",
      example: LOGIN_EXAMPLE.issuer,
    }),
    client_id: z
      .string()
      .regex(/^[\x20-\x7E]{1,512}$/, { error: "up to 512 printable characters of ASCII" })
      .meta({ description: "What this deployment is called there. Identity tokens for it are taken.", example: LOGIN_EXAMPLE.client_id }),
    client_secret: secretRefSchema.optional().meta({
      description: "Left out, the client has none and proves itself by PKCE alone.",
      example: LOGIN_EXAMPLE.client_secret,
    }),
    scopes: z
      .array(z.string().max(128).regex(SCOPE_TOKEN, { error: "a scope has no spaces" }))
      .max(16)
      .default([])
      .meta({ description: "Scopes that are asked for beside `openid`, for the claims that the conditions are about.", example: ["email"] }),
    ...rulesShape,
    expires_in: z
      .int()
      .min(60)
      .max(43_200)
      .default(43_200)
      .meta({ description: "Seconds that a session or a token of a login is valid at the most, 60 to 43,200.", example: 43_200 }),
  })
  .meta({ id: "PutLogin", example: LOGIN_EXAMPLE });
export type PutLoginBody = z.infer<typeof putLoginSchema>;

export const loginSchema = z
  .object({
    name: loginNameSchema,
    issuer: z.string(),
    client_id: z.string(),
    client_secret: secretRefSchema.nullable(),
    scopes: z.array(z.string()),
    claims: z.record(z.string(), z.string()),
    permissions: z.array(permissionSchema),
    ...limitsShape,
    expires_in: z.int(),
    callback: z.string().meta({ description: "What the provider has to have as the client's redirect URI." }),
    suspended: z.boolean().meta({ description: "Whether the token that made it was revoked: nobody logs in by it until it is put once more." }),
    created_at: timeSchema,
    created_by: z.string(),
    updated_at: timeSchema,
    updated_by: z.string(),
  })
  .meta({ id: "Login", example: STORED_EXAMPLE });
export type LoginBody = z.infer<typeof loginSchema>;

/** `GET /v1/logins`. */
export const listLoginsSchema = z.strictObject({ limit: limitSchema, cursor: cursorSchema });
export const listLoginsReplySchema = z
  .object({ logins: z.array(loginSchema), next_cursor: z.string().nullable() })
  .meta({ id: "LoginList", example: { logins: [STORED_EXAMPLE], next_cursor: null } });
