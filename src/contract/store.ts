import * as z from "zod";
import { whole } from "./grammar.ts";
import { originSchema } from "./origin.ts";
import { matchesAny, type Pattern, patternSchema } from "./pattern.ts";
import { type Scope, scopeSchema } from "./scope.ts";
import { cursorSchema, limitSchema } from "./secret.ts";
import { type SecretName, secretNameSchema } from "./secret-name.ts";
import { isStoreKey, STORE_KINDS, storeKeyMatches } from "./store-key.ts";
import { storeNameSchema } from "./store-name.ts";
import { timeSchema } from "./time.ts";

const refSchema = z
  .strictObject({ secret_key_ref: z.strictObject({ scope: scopeSchema, store: secretNameSchema.meta({ description: "The name of the secret." }) }) })
  .meta({
    id: "SecretRef",
    description: "A secret that has the credential: its scope, and as `store` its name. Its `hosts` have every host that the credential goes to.",
    example: { secret_key_ref: { scope: "namespace:prod", store: "AWS_SECRET_ACCESS_KEY" } },
  });
/** Where a credential is. */
type SecretRef = z.output<typeof refSchema>;

const uuidSchema = z
  .string()
  .regex(/^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$/, { error: "a UUID" })
  .transform((text) => text.toLowerCase());
const PATH_PART = "[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}";
const pathSchema = z
  .string()
  .max(300)
  .regex(whole(`${PATH_PART}(?:/${PATH_PART}){0,9}`), { error: "letters, digits, '_', '-' and '.', and '/' between; none at the beginning or the end" });

const allowSchema = z
  .array(
    z.strictObject({
      scopes: z.array(patternSchema).min(1).max(50),
      keys: z
        .array(
          z
            .string()
            .min(1)
            .max(512)
            .regex(/^[A-Za-z0-9/_+=.@~:-]*\*?$/, { error: "a key, or the beginning of keys followed by one '*'" }),
        )
        .min(1)
        .max(50),
    }),
  )
  .max(50)
  .meta({
    description: "Which scopes may have which keys of it; none, where it is left out. Patterns are a literal, or a beginning followed by `*`.",
    example: [{ scopes: ["namespace:prod"], keys: ["prod/*"] }],
  });

const common = {
  allow: allowSchema.default([]),
  write: z
    .boolean()
    .default(false)
    .meta({ description: "Whether scopes may be put in it: what is set and deleted in these is so there. Without it, it is only read from.", example: true }),
  refresh_seconds: z
    .int()
    .min(0)
    .max(3_600)
    .default(60)
    .meta({ description: "For how long what was read is given again before the store is asked anew.", example: 60 }),
  stale_seconds: z
    .int()
    .min(0)
    .max(604_800)
    .default(0)
    .meta({ description: "For how long beyond that it is given while the store does not answer.", example: 0 }),
};

const awsSchema = z.strictObject({
  kind: z.literal("aws-secrets-manager"),
  region: z
    .string()
    .regex(/^[a-z]{2,6}(?:-[a-z]{2,12}){1,3}-\d{1,2}$/, { error: "a region as AWS names it" })
    .meta({ example: "eu-central-1" }),
  role_arn: z
    .string()
    .max(2048)
    .regex(/^arn:aws[a-z-]{0,20}:iam::\d{12}:role\/[\w+=,.@/-]{1,600}$/, { error: "the ARN of a role" })
    .optional()
    .meta({
      description: "The role that is assumed: with the credentials, with the organization's name as external id, or without any.",
      example: "arn:aws:iam::123456789012:role/keyhole",
    }),
  endpoint: originSchema
    .optional()
    .meta({ description: "Where its Secrets Manager is, if not at the region's own address.", example: "https://secretsmanager.eu-central-1.amazonaws.com" }),
  credentials: z.strictObject({ access_key_id: refSchema, secret_access_key: refSchema }).optional(),
  ...common,
});

const azureSchema = z.strictObject({
  kind: z.literal("azure-key-vault"),
  vault_url: originSchema.meta({ example: "https://acme-prod.vault.azure.net" }),
  tenant_id: uuidSchema.meta({ example: "3f2b9c4e-8d1a-4c57-9b0e-2a6d5f7c8e91" }),
  client_id: uuidSchema.meta({ example: "7c1e5d2a-4b8f-4e3c-a6d9-0f1b2c3d4e5f" }),
  credentials: z
    .union([
      z.strictObject({ client_secret: refSchema }),
      z.strictObject({
        private_key: refSchema,
        thumbprint: z
          .string()
          .regex(/^(?:[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})$/, { error: "a certificate's thumbprint, in hex" })
          .meta({ description: "Of the certificate: SHA-1 or SHA-256, in hex.", example: "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c" }),
      }),
    ])
    .optional(),
  ...common,
});

const vaultSchema = z.strictObject({
  kind: z.literal("vault"),
  address: originSchema.meta({ description: "Port 443 or 8200.", example: "https://vault.example.com:8200" }),
  mount: pathSchema.meta({ description: "Where its KV engine of version 2 is.", example: "secret" }),
  namespace: pathSchema.optional().meta({ example: "admin/team" }),
  credentials: z.union([
    z.strictObject({ token: refSchema }),
    z.strictObject({
      role: z
        .string()
        .regex(/^[A-Za-z0-9_.-]{1,128}$/, { error: "the name of a role" })
        .meta({ example: "keyhole" }),
      jwt_auth: pathSchema.meta({ description: "Where its auth method `jwt` is.", example: "jwt" }),
    }),
  ]),
  ...common,
});

const WITHOUT = "without credentials a role is assumed by an identity token: give role_arn";
const ONE_SCOPE = "the secrets of a store's credentials are in one scope";

const anyStoreSchema = z.discriminatedUnion("kind", [awsSchema, azureSchema, vaultSchema]);
/** What is stored of a store. */
export type StoreDefinition = z.output<typeof anyStoreSchema>;

/** `PUT /v1/stores/{name}`. */
export const putStoreSchema = anyStoreSchema
  .refine((body) => body.kind !== "aws-secrets-manager" || body.credentials !== undefined || body.role_arn !== undefined, {
    path: ["role_arn"],
    error: WITHOUT,
  })
  .refine((body) => new Set(refsOf(body).map(({ scope }) => scope)).size <= 1, { path: ["credentials"], error: ONE_SCOPE })
  .meta({
    id: "PutStore",
    description: "A place outside where values live: AWS Secrets Manager, Azure Key Vault, or a Vault (HashiCorp's, or OpenBao).",
    example: {
      kind: "vault" as const,
      address: "https://vault.example.com:8200",
      mount: "secret",
      credentials: { role: "keyhole", jwt_auth: "jwt" },
      allow: [{ scopes: ["namespace:prod"], keys: ["prod/*"] }],
    },
  });

/** A credential of a store: what it is called there, and which secret has it. */
export interface CredentialRef {
  readonly field: string;
  readonly scope: Scope;
  readonly name: SecretName;
}

/** The secrets that have a store's credentials; none, where Keyhole's own identity is the credential. */
export function refsOf({ credentials }: Pick<StoreDefinition, "credentials">): CredentialRef[] {
  return Object.entries<SecretRef | string>(credentials ?? {}).flatMap(([field, given]) =>
    typeof given === "string" ? [] : [{ field, scope: given.secret_key_ref.scope, name: given.secret_key_ref.store }],
  );
}

/** Whether a secret of a scope may have its value from a key of a store: the key as it came, which may be none. */
export function storeAllows({ kind, allow }: Pick<StoreDefinition, "kind" | "allow">, scope: string, key: string): boolean {
  if (!isStoreKey(kind, key)) return false;
  return allow.some(({ scopes, keys }) => matchesAny(scopes as Pattern[], scope) && keys.some((pattern) => storeKeyMatches(pattern, key)));
}

/** Whether a scope may have every key that begins with a prefix. */
export function storeAllowsPrefix({ kind, allow }: Pick<StoreDefinition, "kind" | "allow">, scope: string, prefix: string): boolean {
  if (!isStoreKey(kind, `${prefix}A`)) return false;
  const begins = (pattern: string) => pattern.endsWith("*") && prefix.startsWith(pattern.slice(0, -1));
  return allow.some(({ scopes, keys }) => matchesAny(scopes as Pattern[], scope) && keys.some(begins));
}

/**
 * Where a store is, whoever it is asked as: what it has said of its versions holds for as long as this is the same. AWS and Azure draw the
 * ids of versions at random, so that those of another account are not found; a Vault counts.
 */
export function placeOf(definition: StoreDefinition): string {
  switch (definition.kind) {
    case "aws-secrets-manager":
      return JSON.stringify([definition.kind, definition.region, definition.endpoint ?? null]);
    case "azure-key-vault":
      return JSON.stringify([definition.kind, definition.vault_url]);
    case "vault":
      return JSON.stringify([definition.kind, definition.address, definition.namespace ?? null, definition.mount]);
  }
}

/** Whether what is in its scopes is written to a store. Of before there was `write`, one has none: the scopes that were in it then stay. */
export function takesWrites({ write }: { readonly write?: boolean }): boolean {
  return write !== false;
}

const anyText = z.string();
/** A store, as it is shown: no value is in it. */
export const storeSchema = z
  .object({
    name: storeNameSchema,
    kind: z.enum(STORE_KINDS),
    revision: z.int().meta({ description: "Counts its changes." }),
    region: anyText.optional(),
    role_arn: anyText.optional(),
    endpoint: anyText.optional(),
    vault_url: anyText.optional(),
    tenant_id: anyText.optional(),
    client_id: anyText.optional(),
    address: anyText.optional(),
    mount: anyText.optional(),
    namespace: anyText.optional(),
    credentials: z
      .record(anyText, z.union([anyText, refSchema]))
      .optional()
      .meta({ description: "Which secrets have them; none, where it is Keyhole's own identity." }),
    allow: allowSchema,
    write: z.boolean().optional().meta({
      description: "Whether scopes may be put in it. A store of before there was this has none: the scopes that were in it stay, and no other comes.",
    }),
    refresh_seconds: z.int(),
    stale_seconds: z.int(),
    identity: z
      .object({ issuer: anyText, subject: anyText, audience: anyText })
      .nullable()
      .meta({ description: "What the identity tokens say by which Keyhole asks for access there; `null` where the credentials are stored." }),
    created_at: timeSchema,
    created_by: z.string(),
    updated_at: timeSchema,
    updated_by: z.string(),
  })
  .meta({
    id: "Store",
    example: {
      name: "vault-prod",
      kind: "vault",
      revision: 1,
      address: "https://vault.example.com:8200",
      mount: "secret",
      credentials: { role: "keyhole", jwt_auth: "jwt" },
      allow: [{ scopes: ["namespace:prod"], keys: ["prod/*"] }],
      write: false,
      refresh_seconds: 60,
      stale_seconds: 0,
      identity: { issuer: "https://keyhole.example.com/oidc/acme", subject: "store:vault-prod", audience: "https://vault.example.com:8200" },
      created_at: "2026-11-21T12:00:00.000Z",
      created_by: "developer",
      updated_at: "2026-11-21T12:00:00.000Z",
      updated_by: "developer",
    },
  });
export type StoreBody = z.infer<typeof storeSchema>;

/** `GET /v1/stores`. */
export const listStoresSchema = z.strictObject({ limit: limitSchema, cursor: cursorSchema });
export const listStoresReplySchema = z
  .object({ stores: z.array(storeSchema), next_cursor: z.string().nullable() })
  .meta({ id: "StoreList", example: { stores: [], next_cursor: null } });
