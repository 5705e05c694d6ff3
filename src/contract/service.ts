import * as z from "zod";
import { allowRuleSchema } from "./allow-rule.ts";
import { whole } from "./grammar.ts";
import { hostPatternSchema } from "./hosts.ts";
import { headerOf, injectionSchema, namesIn, templatesOf } from "./injection.ts";
import { originSchema } from "./origin.ts";
import { BUILTIN, SCOPE_KINDS, type Scope, scopeKind, scopeSchema } from "./scope.ts";
import { cursorSchema, limitSchema } from "./secret.ts";
import { secretNameSchema } from "./secret-name.ts";
import { PRESET_NAMES } from "./service-presets.ts";
import { timeSchema } from "./time.ts";

const SERVICE_NAME = "[a-z0-9][a-z0-9-]{0,62}";
/** The name of a service. */
export const serviceNameSchema = z
  .string()
  .regex(whole(SERVICE_NAME), { error: "a service's name is up to 63 small letters, digits or '-' and starts with a letter or digit" })
  .meta({ description: "The name of a service.", example: "openai" });

const apiOriginSchema = originSchema.meta({ example: "https://api.openai.com" });
const originsSchema = z
  .record(
    z.string().regex(/^(?:[a-z0-9][a-z0-9-]{0,31})?$/, { error: "the name of an origin is small letters, digits and '-', or empty for the first" }),
    apiOriginSchema,
  )
  .refine((origins) => Object.hasOwn(origins, ""), { error: 'the first origin is called ""' })
  .refine((origins) => Object.keys(origins).length <= 8, { error: "at most 8 origins" })
  .refine((origins) => new Set(Object.values(origins)).size === Object.keys(origins).length, { error: "an origin has one name" });

const ANY_OF_KIND = /^(?:repo|agent|namespace|team):\*$/;
const searchedScopeSchema = z.union([z.literal(BUILTIN), z.string().regex(ANY_OF_KIND), scopeSchema], {
  error: "a scope, or a kind with '*', as in repo:*",
});
const kindOf = (scope: string) => (scope === BUILTIN ? BUILTIN : scopeKind(scope as Scope));
const RANKS: readonly string[] = [...SCOPE_KINDS, BUILTIN];
const scopesSchema = z
  .array(searchedScopeSchema)
  .min(1)
  .refine((scopes) => new Set(scopes.map(kindOf)).size === scopes.length, { error: "at most one scope of each kind" })
  .refine((scopes) => scopes.filter((scope) => scope.endsWith(":*")).length <= 1, { error: "at most one kind with '*'" })
  .transform((scopes) => scopes.toSorted((a, b) => RANKS.indexOf(kindOf(a)) - RANKS.indexOf(kindOf(b))));

const limits = {
  redirects: z.array(hostPatternSchema).max(20).meta({ description: "Hosts to which a redirect is passed on, without credentials." }),
  basic: z.boolean().meta({ description: "Whether clients may send the token as the password of Basic credentials, as git does." }),
  websocket: z.boolean().meta({ description: "Whether a GET that a rule allows may become a WebSocket. Messages have at most 1 MiB." }),
  ranges: z.boolean().meta({ description: "Whether parts of a reply may be asked for. A value at the edge of one is not found in it." }),
  max_body_bytes: z.int().min(0).max(100_000_000).meta({ description: "How large a body may be.", example: 10_485_760 }),
  max_seconds: z.int().min(1).max(3600).meta({ description: "How long a reply may take to its end.", example: 3600 }),
};
const urlFieldsSchema = z
  .array(z.string().regex(/^\*?[A-Za-z0-9_.-]{1,64}$/, { error: "the name of a member of JSON, or '*' and the end of one" }))
  .max(20)
  .optional()
  .meta({
    description:
      "Members of JSON whose values, where they are addresses of the service, lead through Keyhole in replies, for clients that follow them: names, or `*` and the end of some. Only in documents of up to 4 MiB.",
    example: ["url", "*_url"],
  });
const usesPerMinuteSchema = z.int().min(1).max(60_000).optional().meta({
  description:
    "How many uses each subject has in a minute, counted in each isolate, which is inexact: then it is 429, with `Retry-After`. Left out, as many as they like.",
  example: 120,
});

/** What is stored of a service, and shown to whoever may write it. */
const serviceDefinitionSchema = z.object({
  origins: originsSchema,
  scopes: scopesSchema,
  inject: z.array(injectionSchema).min(1).max(8),
  allow: z.array(allowRuleSchema).min(1).max(50),
  ...limits,
  uses_per_minute: usesPerMinuteSchema,
  url_fields: urlFieldsSchema,
  audit: z.enum(["lease", "each"]).meta({
    description:
      "`lease`: the first use of a caller by a rule is on record before it leaves, and what follows within `LEASE_SECONDS` is counted, with paths, statuses and bytes. `each`: every use is on record by itself, with its method and path, before it leaves.",
  }),
});
export type ServiceDefinition = z.output<typeof serviceDefinitionSchema>;

/** What is left out of a definition. */
export const SERVICE_DEFAULTS = {
  redirects: [],
  websocket: false,
  basic: false,
  ranges: false,
  audit: "lease",
  max_body_bytes: 10_485_760,
  max_seconds: 3600,
} as const;

const DEFINITION_EXAMPLE = {
  origins: { "": "https://api.openai.com" },
  scopes: ["namespace:prod", "global"],
  inject: [{ in: "header" as const, name: "Authorization", value: "Bearer ${OPENAI_API_KEY}" }],
  allow: [{ methods: ["POST"], paths: ["/v1/chat/completions"] }],
};

/** `PUT /v1/services/{name}`. */
export const putServiceSchema = z
  .strictObject({
    preset: z
      .enum(PRESET_NAMES)
      .optional()
      .meta({ description: "Fills in everything but the secret's name and the scopes; what is given beside it counts instead.", example: "openai" }),
    secret: secretNameSchema.optional().meta({ description: "With a preset: the secret that has the credential.", example: "OPENAI_API_KEY" }),
    origin: apiOriginSchema.optional().meta({ description: "Short for `origins` with this one." }),
    origins: originsSchema
      .optional()
      .meta({ description: 'Where requests go: the first is called "", another one is at `/use/{service}/~{name}/…`.', example: DEFINITION_EXAMPLE.origins }),
    scopes: scopesSchema.meta({
      description:
        "Where its secrets are looked for, the most specific first: exact scopes, at most one of a kind, or one kind with `*`, for the one scope of that kind in the caller's grant or in the header `Keyhole-Scope`.",
      example: ["namespace:prod", "global"],
    }),
    inject: z.array(injectionSchema).min(1).max(8).optional().meta({ description: "The credentials." }),
    allow: serviceDefinitionSchema.shape.allow.optional(),
    redirects: limits.redirects.optional(),
    websocket: limits.websocket.optional(),
    basic: limits.basic.optional(),
    ranges: limits.ranges.optional(),
    audit: serviceDefinitionSchema.shape.audit.optional(),
    max_body_bytes: limits.max_body_bytes.optional(),
    max_seconds: limits.max_seconds.optional(),
    uses_per_minute: usesPerMinuteSchema,
    url_fields: urlFieldsSchema,
  })
  .superRefine((body, context) => {
    const wrong = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
    if (body.origin !== undefined && body.origins !== undefined) wrong("origin", "either origin or origins");
    if (body.preset !== undefined) {
      if (body.secret === undefined) wrong("secret", "a preset needs the name of the secret");
      if (body.inject !== undefined) wrong("inject", "a preset has its own credentials: leave one of both out");
      return;
    }
    if (body.secret !== undefined) wrong("secret", "only with a preset: without one, name it in inject");
    if (body.origin === undefined && body.origins === undefined) wrong("origins", "where do requests go?");
    if (body.inject === undefined) wrong("inject", "which credentials are put into requests?");
    if (body.allow === undefined) wrong("allow", "which methods and paths are let through?");
  })
  .refine(({ inject = [] }) => new Set(inject.map(placeOf)).size === inject.length, { path: ["inject"], error: "two credentials in one place" })
  .meta({ id: "PutService", example: DEFINITION_EXAMPLE });
export type PutServiceBody = z.output<typeof putServiceSchema>;

function placeOf(injection: z.output<typeof injectionSchema>): string {
  return headerOf(injection) ?? `?${injection.in === "query" ? injection.name : ""}`;
}

/** The names of the secrets that a service uses. */
export function secretsOf({ inject }: Pick<ServiceDefinition, "inject">): string[] {
  return [...new Set(inject.flatMap(templatesOf).flatMap(namesIn))];
}

const own = serviceDefinitionSchema.shape;
const WRITER = "Shown with `services:write`.";
export const serviceSchema = z
  .object({
    name: serviceNameSchema,
    preset: z.enum(PRESET_NAMES).nullable(),
    allow: own.allow,
    builtin: z.boolean().meta({ description: "Whether it is the operator's, for every organization." }),
    revision: z
      .int()
      .optional()
      .meta({ description: `Counts its changes. ${WRITER}` }),
    origins: z.record(z.string(), z.string()).optional().meta({ description: WRITER }),
    scopes: z.array(z.string()).optional().meta({ description: WRITER }),
    inject: z
      .array(z.looseObject({ in: z.string() }))
      .optional()
      .meta({ description: WRITER }),
    redirects: z.array(z.string()).optional().meta({ description: WRITER }),
    websocket: z.boolean().optional(),
    basic: z.boolean().optional(),
    ranges: z.boolean().optional(),
    audit: z.string().optional(),
    max_body_bytes: z.int().optional(),
    max_seconds: z.int().optional(),
    uses_per_minute: z.int().optional(),
    url_fields: z.array(z.string()).optional(),
    created_at: timeSchema.optional(),
    created_by: z.string().optional(),
    updated_at: timeSchema.optional(),
    updated_by: z.string().optional(),
  })
  .meta({
    id: "Service",
    description: "With `services:write` all of it; with `secrets:use` its name, its preset and what it allows.",
    example: { name: "openai", preset: "openai", allow: DEFINITION_EXAMPLE.allow, builtin: false },
  });
export type ServiceBody = z.infer<typeof serviceSchema>;

/** `GET /v1/services`. */
export const listServicesSchema = z.strictObject({ limit: limitSchema, cursor: cursorSchema });
export const listServicesReplySchema = z.object({ services: z.array(serviceSchema), next_cursor: z.string().nullable() }).meta({
  id: "ServiceList",
  example: { services: [{ name: "openai", preset: "openai", allow: DEFINITION_EXAMPLE.allow, builtin: false }], next_cursor: null },
});
