import type { Context } from "hono";
import * as z from "zod";
import {
  envReplySchema,
  explainReplySchema,
  resolveFormatSchema,
  resolveOneReplySchema,
  resolveReplySchema,
  resolveSchema,
  scopesSchema,
} from "../../../contract/resolve.ts";
import { secretNameSchema } from "../../../contract/secret-name.ts";
import { explainSecret } from "../../secrets/explain-secret.ts";
import { type Release, releaseSecrets } from "../../secrets/release-secrets.ts";
import type { ResolveRequest } from "../../secrets/resolution-query.ts";
import { leaseOfRelease, type OpenLease } from "../../secrets/resolve-leased.ts";
import { json } from "../docs/responses.ts";
import type { HonoEnv } from "../hono-env.ts";
import type { KeptForm } from "../lease-asks.ts";
import { limitResolves } from "../middleware/limit-rate.ts";
import type { RequestNeeds } from "../needs-of.ts";
import { operation } from "../operation.ts";
import { bytes, optionalJsonBody, text } from "../parse/body.ts";
import { BASE64_REPLY_HEADER, LEFT_OUT_REPLY_HEADER, RESOLVE_CONDITIONS, RESOLVE_HEADERS } from "../parse/parameters.ts";
import { isHeld, parseEntityTags } from "../parse/parse-precondition.ts";
import { selectLeased } from "../select-leased.ts";
import { findingHeaders, isOfVariables, type Listed, leaseReply, type ResolveForm, resolveContent, selectionEtag, whyUnfit } from "./resolve-body.ts";

const tag = "Resolve";

/** The two forms of a JSON reply. */
const REPLY_EXAMPLES = {
  json: { summary: "format=json", value: resolveReplySchema.meta()?.example },
  env: { summary: "format=env", value: envReplySchema.meta()?.example },
};
const NOT_MODIFIED = { description: "Exactly what If-None-Match names.", headers: RESOLVE_HEADERS };

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
        "Of each name the one in the most specific scope: repo, agent, namespace, team, global, builtin. By name it is all or nothing, unless `allow_missing`; without names what has expired or cannot be had now is left out and listed. On record before the reply leaves. `format=env` maps environment names to values; `format=dotenv` is the same as a .env file that dotenv, python-dotenv, godotenv, Node's `parseEnv` and `sh` read alike, and `format=docker` as `NAME=value` lines for `docker run --env-file`. A value that such a form cannot say is refused by name, or left out (`unwritable`) where no names were asked for. Bytes are base64, and `Keyhole-Base64` and a comment in the file say of which variables. Of two names that become one variable the one in the most specific scope has it, a reserved variable has none, and `Keyhole-Left-Out` lists the names that are not there.",
      tag,
      permission: "secrets:resolve",
      action: "secret.resolve",
      middleware: [limitResolves],
      headers: RESOLVE_CONDITIONS,
      query: z.strictObject({ format: resolveFormatSchema.default("json").meta({ description: "The form of the reply.", example: "json" }) }),
      body: optionalJsonBody(resolveSchema),
      problems: ["secret-not-found", "secret-expired", "name-locked", "too-many-secrets", "answer-too-large"],
      replies: {
        200: {
          description: "The values.",
          headers: { ...RESOLVE_HEADERS, ...LEFT_OUT_REPLY_HEADER, ...BASE64_REPLY_HEADER },
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
      return resolve(c, needs, { scopes, names, allowMissing: allow_missing, inherit }, { of: "all", format });
    },
  ),
  operation(
    {
      method: "get",
      path: "/v1/resolve/{name}",
      id: "resolveSecret",
      summary: "Resolve one secret to its value",
      description: "`format=raw` replies the exact bytes. HEAD is refused: it would be on record as a release, and give nothing.",
      head: false,
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
      problems: ["secret-not-found", "secret-expired", "name-locked"],
      replies: {
        200: {
          description: "The value.",
          headers: RESOLVE_HEADERS,
          content: {
            "application/json": { schema: resolveOneReplySchema },
            "text/plain": { schema: text("sk-example-not-a-key") },
            "application/octet-stream": { schema: bytes },
          },
        },
        304: NOT_MODIFIED,
      },
    },
    async ({ c, needs, params: { name }, query: { scope, format } }) =>
      resolve(c, needs, { scopes: scope, names: [name], allowMissing: false, inherit: true }, { of: "one", format }),
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

async function resolve(c: Ctx, needs: RequestNeeds, request: Omit<ResolveRequest, "asVariables">, form: ResolveForm): Promise<Response> {
  const held = parseEntityTags("If-None-Match", c.req.header("If-None-Match"));
  const { selection, lease } = await selectLeased(c, needs, { ...request, asVariables: isOfVariables(form) });
  const describe = async (listed: Listed): Promise<string> => {
    const etag = await selectionEtag(form.format, selection, listed);
    c.header("ETag", etag);
    for (const [name, value] of Object.entries(findingHeaders(form, listed))) c.header(name, value);
    return etag;
  };
  const etag = await describe(selection);
  // Which version a store has is known only when it was asked.
  if (isHeld(held, etag) && !selection.secrets.some(({ encoding }) => encoding === "source")) {
    if (lease) c.header("Age", "0");
    await keep(lease, { ...form, etag }, { ...selection, secrets: [] });
    return c.body(null, 304);
  }
  const make = async (release: Release): Promise<Response> => {
    const etag = await describe(release);
    const told = leaseOfRelease(lease, release.secrets, needs.now);
    if (told) c.header("Age", "0");
    const content = isHeld(held, etag) ? null : resolveContent(form, release, told && leaseReply(told, needs.now.getTime()));
    await keep(lease, { ...form, etag }, release);
    if (!content) return c.body(null, 304);
    const { type, body } = content;
    return c.body(typeof body === "string" ? body : body.slice().buffer, 200, { "Content-Type": type });
  };
  return releaseSecrets(needs, selection, make, (secret) => whyUnfit(form, secret));
}

/** An answer in which something cannot be had is not given again. */
async function keep(lease: OpenLease<KeptForm> | null, form: KeptForm, { unavailable, secrets }: Release): Promise<void> {
  if (unavailable.length === 0) await lease?.keep(form, secrets);
}
