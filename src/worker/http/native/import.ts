import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { z } from "zod";
import { importReplySchema, importSchema } from "../../../contract/import.ts";
import { invalid } from "../../../contract/problem.ts";
import { type Scope, scopeSchema } from "../../../contract/scope.ts";
import { importSecrets } from "../../secrets/import-secrets.ts";
import { json, needs, problems } from "../docs/responses.ts";
import type { HonoEnv } from "../hono-env.ts";
import { auditedAs } from "../middleware/audited-as.ts";
import { isJson } from "../parse/media-type.ts";
import { parseDotenv } from "../parse/parse-dotenv.ts";
import { requireText } from "../parse/parse-value.ts";
import { writeNeeds } from "../write-needs.ts";

const importRoute = createRoute({
  method: "post",
  path: "/v1/import",
  operationId: "importSecrets",
  summary: "Set many secrets of one scope",
  description:
    "All or nothing, up to 500: JSON, or a .env file as `text/plain` with `?scope=`, in which no line may be lost: each is blank, a comment, an assignment or part of one. Everything wrong is listed at once. `dry_run=true` says what would happen and stores nothing.",
  tags: ["Secrets"],
  security: needs("secrets:write"),
  middleware: auditedAs("secret.import"),
  request: {
    query: z.strictObject({
      scope: scopeSchema.optional().meta({ description: "The scope, for a .env file.", example: "namespace:prod" }),
      dry_run: z.enum(["true", "false"]).default("false").meta({ description: "true: change nothing.", example: "true" }),
    }),
    body: {
      content: {
        "application/json": { schema: importSchema },
        "text/plain": { schema: z.string().meta({ example: "OPENAI_API_KEY='sk-example-not-a-key'\n" }) },
      },
    },
  },
  responses: {
    200: json(importReplySchema, "What became of each name, or would."),
    ...problems("invalid-request", "body-too-large", "value-too-large", "too-many-secrets", "unsupported-media-type", "name-reserved"),
  },
});

/** The route that sets many secrets at once. */
export function importRoutes(): OpenAPIHono<HonoEnv> {
  const app = new OpenAPIHono<HonoEnv>();
  // The body is required, but only a JSON one is for the validator to parse: so the description says more than the route.
  app.openAPIRegistry.registerPath({ ...importRoute, request: { ...importRoute.request, body: { ...importRoute.request.body, required: true } } });
  app.openapi({ ...importRoute, hide: true }, async (c) => {
    const { scope, dry_run } = c.req.valid("query");
    const body = c.req.valid("json");
    const given = typeof body !== "string" && isJson(c.req.header("Content-Type") ?? "") ? jsonImport(body, scope) : await dotenvImport(c, scope);
    return c.json(await importSecrets(writeNeeds(c), c.get("caller"), { ...given, dryRun: dry_run === "true" }), 200);
  });
  return app;
}

function jsonImport(body: z.infer<typeof importSchema>, scope: Scope | undefined) {
  if (scope !== undefined) throw invalid("query:scope", "a JSON import names its scope in the body");
  return body;
}

async function dotenvImport(c: Context<HonoEnv>, scope: Scope | undefined) {
  const text = requireText(new Uint8Array(await c.req.arrayBuffer()), c.req.header("Content-Type") ?? "");
  if (scope === undefined) throw invalid("query:scope", "a .env import names its scope here");
  return { scope, secrets: parseDotenv(text) };
}
