import * as z from "zod";
import { MAX_NAMES } from "./max-names.ts";
import { SCOPE_KINDS, type Scope, scopeKind, scopeSchema } from "./scope.ts";
import { encodingSchema } from "./secret.ts";
import { secretNameSchema } from "./secret-name.ts";
import { timeSchema } from "./time.ts";
import { unavailableSchema } from "./unavailable.ts";

export { MAX_NAMES };

/** How many secrets one resolve may release. */
export const MAX_RELEASED = 500;
/** How many bytes of values one resolve may release. */
export const MAX_RELEASED_BYTES = 4 * 1_048_576;

const onePerKind = (scopes: readonly Scope[]) => new Set(scopes.map(scopeKind)).size === scopes.length;

/** The scopes of a resolve: at most one of each kind. */
export const scopesSchema = z
  .array(scopeSchema)
  .min(1, { error: "name at least one scope, or leave scopes out" })
  .max(SCOPE_KINDS.length, { error: "at most one scope per kind" })
  .refine(onePerKind, { error: "at most one scope per kind" })
  .meta({ description: "At most one scope per kind.", uniqueItems: true, example: ["repo:acme/payments", "namespace:prod"] });

/** `POST /v1/resolve`. */
export const resolveSchema = z
  .strictObject({
    scopes: scopesSchema.optional(),
    names: z
      .array(secretNameSchema)
      .min(1, { error: "name at least one secret, or leave names out" })
      .max(MAX_NAMES, { error: `at most ${MAX_NAMES} names` })
      .refine((names) => new Set(names).size === names.length, { error: "a name is given twice" })
      .optional()
      .meta({ description: "Up to 100 names; omitted: everything that applies.", uniqueItems: true }),
    allow_missing: z
      .boolean()
      .default(false)
      .meta({ description: "List the names asked for that are missing, expired or not to be had now, instead of failing." }),
    inherit: z.boolean().default(true).meta({ description: "false: search only the scopes given." }),
  })
  .meta({ id: "Resolve", example: { scopes: ["repo:acme/payments", "namespace:prod"], names: ["OPENAI_API_KEY"], allow_missing: false } });

/** What to resolve. Scopes left out: those of the token's grant. Names left out: everything that applies. */
export type ResolveRequest = Omit<z.input<typeof resolveSchema>, "scopes" | "names"> & {
  scopes?: readonly string[] | undefined;
  names?: readonly string[] | undefined;
};

/** The forms of a reply that hold environment variables. */
const VARIABLE_FORMATS = ["env", "dotenv", "docker"] as const;
export type VariableFormat = (typeof VARIABLE_FORMATS)[number];
export const resolveFormatSchema = z.enum(["json", ...VARIABLE_FORMATS]);
export type ResolveFormat = z.infer<typeof resolveFormatSchema>;

const sourceScopeSchema = z.string().meta({ description: "A scope, or `builtin`.", example: "namespace:prod" });
const idSchema = z.string().meta({ description: "The secret's id.", example: "sec_1f0c2b7a9d3e4f5a8b6c7d8e9f0a1b2c" });
const versionSchema = z.int().min(1).meta({ description: "The version of the value.", example: 3 });

const RELEASED = {
  value: "sk-example-not-a-key",
  encoding: "utf8" as const,
  scope: "namespace:prod",
  id: "sec_1f0c2b7a9d3e4f5a8b6c7d8e9f0a1b2c",
  version: 3,
};

const releasedShape = {
  value: z.string().meta({ description: "The value, written as `encoding` says.", example: "sk-example-not-a-key" }),
  encoding: encodingSchema,
  scope: sourceScopeSchema,
  id: idSchema,
  version: versionSchema,
  store_version: z
    .string()
    .optional()
    .meta({ description: "Of a value that comes from a store: the store's own id of its version. `version` then counts the changes of where it comes from." }),
};

/** The lease under which an answer was given: there where one was asked for. */
const leaseSchema = z
  .object({
    id: z.string().meta({ description: "The lease: the audit events about it have the same.", example: "lse_1f0c2b7a9d3e4f5a8b6c7d8e9f0a1b2c" }),
    until: timeSchema.meta({ description: "Until when the same caller may be given the same again." }),
    expires_in: z
      .int()
      .min(0)
      .meta({ description: "The seconds until then, for clocks that differ. What a client keeps it may use for so long after it asked.", example: 60 }),
  })
  .meta({ id: "Lease" });
export type LeaseReply = z.infer<typeof leaseSchema>;

export const resolveReplySchema = z
  .object({
    secrets: z.record(z.string(), z.object(releasedShape).meta({ id: "ReleasedSecret" })).meta({ description: "By name." }),
    missing: z.array(z.string()).meta({ description: "What was asked for and is nowhere, or has expired." }),
    expired: z
      .array(z.string())
      .optional()
      .meta({ description: "What would be here if it had not expired, where no names were asked for; nothing wider takes its place." }),
    unavailable: z
      .array(unavailableSchema)
      .optional()
      .meta({ description: "What would be here if its value could be had; nothing wider takes its place. Left out where there is none." }),
    skipped: z
      .array(z.string())
      .optional()
      .meta({ description: "What is here and never becomes an environment variable, because the variable is reserved: `env` and `dotenv` leave it out." }),
    searched: z.array(z.string()).meta({ description: "The scopes searched, in order." }),
    lease: leaseSchema.optional(),
  })
  .meta({
    id: "ResolveReply",
    example: { secrets: { OPENAI_API_KEY: RELEASED }, missing: [], searched: ["repo:acme/payments", "namespace:prod", "global", "builtin"] },
  });
export type ResolveReply = z.infer<typeof resolveReplySchema>;

export const envReplySchema = z
  .record(z.string(), z.string())
  .meta({ id: "EnvReply", description: "Environment name to value.", example: { OPENAI_API_KEY: "sk-example-not-a-key" } });

export const resolveOneReplySchema = z
  .object({ name: secretNameSchema, ...releasedShape, lease: leaseSchema.optional() })
  .meta({ id: "ResolveOneReply", example: { name: "OPENAI_API_KEY", ...RELEASED } });
export type ResolveOneReply = z.infer<typeof resolveOneReplySchema>;

export const explainReplySchema = z
  .object({
    name: secretNameSchema,
    winner: z
      .object({ scope: sourceScopeSchema, id: idSchema, version: versionSchema })
      .nullable()
      .meta({ description: "What a resolve would use, or `null`. It may have expired: then a resolve answers 410." }),
    candidates: z.array(
      z.object({
        scope: sourceScopeSchema,
        found: z.boolean(),
        id: idSchema.optional(),
        version: versionSchema.optional(),
        expired: z.boolean().optional(),
        locked: z.boolean().optional().meta({ description: "`true` where it wins over every narrower scope." }),
      }),
    ),
    locked_by: z
      .string()
      .optional()
      .meta({ description: "A scope that is not searched and locks the name: there is no winner, and a resolve answers 422.", example: "global" }),
  })
  .meta({
    id: "Explanation",
    description: "Where a name would come from, in search order, without its value.",
    example: {
      name: "OPENAI_API_KEY",
      winner: { scope: RELEASED.scope, id: RELEASED.id, version: RELEASED.version },
      candidates: [
        { scope: "repo:acme/payments", found: false },
        { scope: RELEASED.scope, found: true, id: RELEASED.id, version: RELEASED.version, expired: false, locked: true },
        { scope: "global", found: false },
        { scope: "builtin", found: false },
      ],
    },
  });
export type Explanation = z.infer<typeof explainReplySchema>;
