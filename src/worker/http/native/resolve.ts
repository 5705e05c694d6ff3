import type { Context } from "hono";
import * as z from "zod";
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
import { json } from "../docs/responses.ts";
import type { HonoEnv } from "../hono-env.ts";
import { limitResolves } from "../middleware/limit-rate.ts";
import type { Needs } from "../needs-of.ts";
import { operation } from "../operation.ts";
import { bytes, optionalJsonBody, text } from "../parse/body.ts";
import { ETAG_HEADER, RESOLVE_CONDITIONS } from "../parse/parameters.ts";
import { parseEntityTags, withoutWeakness } from "../parse/parse-precondition.ts";
import { resolveBody, resolveOneBody, selectionEtag, valueText } from "./resolve-body.ts";
import { writeDotenv } from "./write-dotenv.ts";

const tag = "Resolve";

/** The two forms of a JSON reply. */
const REPLY_EXAMPLES = {
  json: { summary: "format=json", value: resolveReplySchema.meta()?.example },
  env: { summary: "format=env", value: envReplySchema.meta()?.example },
};
const NOT_MODIFIED = { description: "Exactly what If-None-Match names.", headers: ETAG_HEADER };

/** `?scope=a&scope=b`: one value is a text, several are a list. */
const scopeQuerySchema = z
  .preprocess((value) => (typeof value === "string" ? [value] : value), scopesSchema)
  .optional()
  .meta({ description: "A scope to search; repeat it for several, at most one per kind.", example: ["namespace:prod"] });

const byName = z.object({ name: secretNameSchema });

/** What is resolved without a body: everything that applies. */
const EVERYTHING = resolveSchema.parse({});

/** The routes by which values leave, and the one that explains which. */
export const resolveRoutes = [
  operation(
    {
      method: "post",
      path: "/v1/resolve",
      id: "resolveSecrets",
      summary: "Resolve secrets to their values",
      description:
        "Of each name the one in the most specific scope: repo, agent, namespace, team, global, builtin. All or nothing, unless `allow_missing`. On record before the reply leaves. `format=env` maps environment names to values, `format=dotenv` is the same as a .env file.",
      tag,
      permission: "secrets:resolve",
      action: "secret.resolve",
      middleware: [limitResolves],
      headers: RESOLVE_CONDITIONS,
      query: z.strictObject({ format: resolveFormatSchema.default("json").meta({ description: "The form of the reply.", example: "json" }) }),
      body: optionalJsonBody(resolveSchema),
      problems: ["secret-not-found", "secret-expired", "env-name-conflict", "too-many-secrets"],
      replies: {
        200: {
          description: "The values.",
          headers: ETAG_HEADER,
          content: {
            "application/json": { schema: z.union([resolveReplySchema, envReplySchema]), examples: REPLY_EXAMPLES },
            "text/plain": { schema: text("OPENAI_API_KEY='sk-example-not-a-key'\n") },
          },
        },
        304: NOT_MODIFIED,
      },
    },
    async ({ c, needs, query: { format }, body = EVERYTHING }) => {
      const { scopes, names, allow_missing, inherit } = body;
      const resolved = await resolve(c, needs, { scopes, names, allowMissing: allow_missing, inherit, format });
      if (!resolved.secrets) return c.body(null, 304);
      if (format === "json") return c.json(resolveBody(resolved, resolved.secrets));
      const variables = resolved.secrets.map((secret) => [envName(secret.name), valueText(secret)] as const);
      return format === "env" ? c.json(Object.fromEntries(variables)) : c.text(writeDotenv(variables));
    },
  ),
  operation(
    {
      method: "get",
      path: "/v1/resolve/{name}",
      id: "resolveSecret",
      summary: "Resolve one secret to its value",
      description: "`format=raw` replies the exact bytes.",
      tag,
      permission: "secrets:resolve",
      action: "secret.resolve",
      middleware: [limitResolves],
      headers: RESOLVE_CONDITIONS,
      params: byName,
      query: z.strictObject({
        scope: scopeQuerySchema,
        format: z.enum(["json", "raw"]).default("json").meta({ description: "`raw`: the exact bytes and nothing else.", example: "raw" }),
      }),
      problems: ["secret-not-found", "secret-expired"],
      replies: {
        200: {
          description: "The value.",
          headers: ETAG_HEADER,
          content: {
            "application/json": { schema: resolveOneReplySchema },
            "text/plain": { schema: text("sk-example-not-a-key") },
            "application/octet-stream": { schema: bytes },
          },
        },
        304: NOT_MODIFIED,
      },
    },
    async ({ c, needs, params: { name }, query: { scope, format } }) => {
      const { secrets } = await resolve(c, needs, { scopes: scope, names: [name], allowMissing: false, inherit: true, format });
      if (!secrets) return c.body(null, 304);
      const [secret] = secrets;
      if (!secret) throw new Error("a resolve of one name released none");
      return format === "raw" ? rawReply(c, secret) : c.json(resolveOneBody(secret));
    },
  ),
  operation(
    {
      method: "get",
      path: "/v1/explain/{name}",
      id: "explainSecret",
      summary: "Explain where a name would come from",
      description: "Every scope that a resolve would search, in order, and what it holds. No value.",
      tag,
      permission: "secrets:read",
      action: "secret.read",
      params: byName,
      query: z.strictObject({ scope: scopeQuerySchema }),
      replies: { 200: json(explainReplySchema, "The search.") },
    },
    async ({ c, needs, caller, params: { name }, query: { scope } }) => c.json(await explainSecret(needs, caller, name, scope)),
  ),
];

type Ctx = Context<HonoEnv>;

type FormattedRequest = Omit<ResolveRequest, "distinctEnvNames"> & { readonly format: ResolveFormat | "raw" };
/** What a resolve came to. `secrets` is `null` when the caller holds exactly this already. */
type Resolved = Pick<Selection, "missing" | "searched"> & { readonly secrets: readonly Released[] | null };

async function resolve(c: Ctx, needs: Needs, { format, ...request }: FormattedRequest): Promise<Resolved> {
  const held = withoutWeakness(parseEntityTags("If-None-Match", c.req.header("If-None-Match")) ?? []);
  const distinctEnvNames = format === "env" || format === "dotenv";
  const selection = await resolveSecrets(needs, c.get("caller"), { ...request, distinctEnvNames });
  const etag = await selectionEtag(format, selection);
  c.header("ETag", etag);
  const { missing, searched } = selection;
  if (held !== "*" && held.includes(etag)) return { secrets: null, missing, searched };
  return { secrets: await releaseSecrets(needs, selection), missing, searched };
}

function rawReply(c: Ctx, { bytes, encoding }: Released): Response {
  return c.body(bytes.slice().buffer, 200, { "Content-Type": encoding === "utf8" ? "text/plain; charset=utf-8" : "application/octet-stream" });
}
