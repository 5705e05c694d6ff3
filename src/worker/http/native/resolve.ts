import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { z } from "zod";
import type { ProblemCode } from "../../../contract/problem.ts";
import {
  envReplySchema,
  explainReplySchema,
  type ResolveFormat,
  resolveFormatSchema,
  resolveOneReplySchema,
  resolveReplySchema,
  resolveSchema,
  scopesSchema,
} from "../../../contract/resolve.ts";
import { envName, secretNameSchema } from "../../../contract/secret-name.ts";
import { explainSecret } from "../../secrets/explain-secret.ts";
import { type Released, releaseSecrets } from "../../secrets/release-secrets.ts";
import type { ResolveRequest } from "../../secrets/resolution-query.ts";
import { resolveSecrets } from "../../secrets/resolve-secrets.ts";
import type { Selection } from "../../secrets/selection.ts";
import { ETAG_HEADER, json, needs, problems } from "../docs/responses.ts";
import type { HonoEnv } from "../hono-env.ts";
import { auditedAs } from "../middleware/audited-as.ts";
import { limitResolves } from "../middleware/limit-rate.ts";
import { RESOLVE_CONDITIONS } from "../parse/parameters.ts";
import { parseEntityTags, withoutWeakness } from "../parse/parse-precondition.ts";
import { resolveBody, resolveOneBody, selectionEtag, valueText } from "./resolve-body.ts";
import { writeDotenv } from "./write-dotenv.ts";

const tags = ["Resolve"];
const REFUSALS: ProblemCode[] = ["invalid-request", "secret-not-found", "secret-expired", "env-name-conflict", "too-many-secrets"];

/** The two forms of a JSON reply. */
const REPLY_EXAMPLES = {
  json: { summary: "format=json", value: resolveReplySchema.meta()?.example },
  env: { summary: "format=env", value: envReplySchema.meta()?.example },
};

/** `?scope=a&scope=b`: Hono gives one value as a string and several as an array. */
const scopeQuerySchema = z
  .preprocess((value) => (typeof value === "string" ? [value] : value), scopesSchema)
  .optional()
  .meta({
    description: "A scope to search; repeat it for several, at most one per kind.",
    example: ["namespace:prod"],
    param: { style: "form", explode: true },
  });

const resolveRoute = createRoute({
  method: "post",
  path: "/v1/resolve",
  operationId: "resolveSecrets",
  summary: "Resolve secrets to their values",
  description:
    "Of each name the one in the most specific scope: repo, agent, namespace, team, global, builtin. All or nothing, unless `allow_missing`. On record before the reply leaves. `format=env` maps environment names to values, `format=dotenv` is the same as a .env file.",
  tags,
  security: needs("secrets:resolve"),
  middleware: [auditedAs("secret.resolve"), limitResolves] as const,
  parameters: RESOLVE_CONDITIONS,
  request: {
    query: z.strictObject({ format: resolveFormatSchema.default("json").meta({ description: "The form of the reply.", example: "json" }) }),
    body: { content: { "application/json": { schema: resolveSchema } } },
  },
  responses: {
    200: {
      description: "The values.",
      headers: ETAG_HEADER,
      content: {
        "application/json": { schema: z.union([resolveReplySchema, envReplySchema]), examples: REPLY_EXAMPLES },
        "text/plain": { schema: z.string().meta({ example: "OPENAI_API_KEY='sk-example-not-a-key'\n" }) },
      },
    },
    304: { description: "Exactly what If-None-Match names.", headers: ETAG_HEADER },
    ...problems(...REFUSALS, "body-too-large", "unsupported-media-type"),
  },
});

const resolveOneRoute = createRoute({
  method: "get",
  path: "/v1/resolve/{name}",
  operationId: "resolveSecret",
  summary: "Resolve one secret to its value",
  description: "`format=raw` replies the exact bytes.",
  tags,
  security: needs("secrets:resolve"),
  middleware: [auditedAs("secret.resolve"), limitResolves] as const,
  parameters: RESOLVE_CONDITIONS,
  request: {
    params: z.object({ name: secretNameSchema }),
    query: z.strictObject({
      scope: scopeQuerySchema,
      format: z.enum(["json", "raw"]).default("json").meta({ description: "`raw`: the exact bytes and nothing else.", example: "raw" }),
    }),
  },
  responses: {
    200: {
      description: "The value.",
      headers: ETAG_HEADER,
      content: {
        "application/json": { schema: resolveOneReplySchema },
        "text/plain": { schema: z.string().meta({ example: "sk-example-not-a-key" }) },
        "application/octet-stream": { schema: z.string().meta({ format: "binary", example: "bytes" }) },
      },
    },
    304: { description: "Exactly what If-None-Match names.", headers: ETAG_HEADER },
    ...problems("invalid-request", "secret-not-found", "secret-expired"),
  },
});

const explainRoute = createRoute({
  method: "get",
  path: "/v1/explain/{name}",
  operationId: "explainSecret",
  summary: "Explain where a name would come from",
  description: "Every scope that a resolve would search, in order, and what it holds. No value.",
  tags,
  security: needs("secrets:read"),
  middleware: auditedAs("secret.read"),
  request: { params: z.object({ name: secretNameSchema }), query: z.strictObject({ scope: scopeQuerySchema }) },
  responses: { 200: json(explainReplySchema, "The search."), ...problems("invalid-request") },
});

/** What is resolved without a body, which the validator leaves to the route: everything that applies. */
const EVERYTHING = resolveSchema.parse({});

/** The routes by which values leave, and the one that explains which. */
export function resolveRoutes(): OpenAPIHono<HonoEnv> {
  const app = new OpenAPIHono<HonoEnv>();
  app.openapi(resolveRoute, async (c) => {
    const { scopes, names, allow_missing, inherit } = { ...EVERYTHING, ...c.req.valid("json") };
    const { format } = c.req.valid("query");
    const resolved = await resolve(c, { scopes, names, allowMissing: allow_missing, inherit, format });
    if (!resolved.secrets) return c.body(null, 304);
    if (format === "json") return c.json(resolveBody(resolved, resolved.secrets), 200);
    const variables = resolved.secrets.map((secret) => [envName(secret.name), valueText(secret)] as const);
    return format === "env" ? c.json(Object.fromEntries(variables), 200) : c.text(writeDotenv(variables), 200);
  });
  app.openapi(resolveOneRoute, async (c) => {
    const { scope, format } = c.req.valid("query");
    const { secrets } = await resolve(c, { scopes: scope, names: [c.req.valid("param").name], allowMissing: false, inherit: true, format });
    if (!secrets) return c.body(null, 304);
    const [secret] = secrets;
    if (!secret) throw new Error("a resolve of one name released none");
    return format === "raw" ? rawReply(c, secret) : c.json(resolveOneBody(secret), 200);
  });
  app.openapi(explainRoute, async (c) => {
    const needs = { db: c.env.DB, platformOrg: c.get("config").platformOrg, now: c.get("now") };
    return c.json(await explainSecret(needs, c.get("caller"), c.req.valid("param").name, c.req.valid("query").scope), 200);
  });
  return app;
}

type Ctx = Context<HonoEnv>;

type FormattedRequest = Omit<ResolveRequest, "distinctEnvNames"> & { readonly format: ResolveFormat | "raw" };
/** What a resolve came to. `secrets` is `null` when the caller holds exactly this already. */
type Resolved = Pick<Selection, "missing" | "searched"> & { readonly secrets: readonly Released[] | null };

async function resolve(c: Ctx, { format, ...request }: FormattedRequest): Promise<Resolved> {
  const { keyring, legacyPlaintext, platformOrg } = c.get("config");
  const held = withoutWeakness(parseEntityTags("If-None-Match", c.req.header("If-None-Match")) ?? []);
  const distinctEnvNames = format === "env" || format === "dotenv";
  const selection = await resolveSecrets({ db: c.env.DB, platformOrg, now: c.get("now") }, c.get("caller"), { ...request, distinctEnvNames });
  const etag = await selectionEtag(format, selection);
  c.header("ETag", etag);
  const { missing, searched } = selection;
  if (held !== "*" && held.includes(etag)) return { secrets: null, missing, searched };
  return { secrets: await releaseSecrets({ kv: c.env.KV, keyring, legacyPlaintext }, selection), missing, searched };
}

function rawReply(c: Ctx, { bytes, encoding }: Released): Response {
  return c.body(bytes.slice().buffer, 200, { "Content-Type": encoding === "utf8" ? "text/plain; charset=utf-8" : "application/octet-stream" });
}
