import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { HonoEnv } from "../hono-env.ts";
import { type ApiDocument, buildApiDocument } from "./api-document.ts";
import { docsPage } from "./docs-page.ts";
import { json } from "./responses.ts";

const tags = ["System"];
/** A deployment changes it, and nothing else does. */
const CACHE = "public, max-age=300";

const documentSchema = z
  .looseObject({ openapi: z.string(), info: z.looseObject({ title: z.string(), version: z.string() }), paths: z.record(z.string(), z.unknown()) })
  .meta({ id: "OpenApiDocument", description: "An OpenAPI document.", example: { openapi: "3.1.0", info: { title: "Keyhole", version: "1" }, paths: {} } });

const documentRoute = createRoute({
  method: "get",
  path: "/openapi.json",
  operationId: "openapi",
  summary: "This description, for machines",
  description: "OpenAPI 3.1.",
  tags,
  security: [],
  responses: { 200: json(documentSchema, "The document.") },
});

const pageRoute = createRoute({
  method: "get",
  path: "/docs",
  operationId: "docs",
  summary: "This description, for people",
  description: "One page without scripts, which loads nothing from anywhere.",
  tags,
  security: [],
  responses: { 200: { description: "The page.", content: { "text/html": { schema: z.string().meta({ example: "<!doctype html>" }) } } } },
});

/** Adds `/openapi.json`, generated from the schemas that validate, and `/docs`, which shows it in a browser. */
export function describeApi(app: OpenAPIHono<HonoEnv>): void {
  // Built when first asked for, because by then every route is there; once for each isolate.
  let built: { document: ApiDocument; text: string } | undefined;
  const description = () => {
    if (!built) {
      const document = buildApiDocument(app);
      built = { document, text: JSON.stringify(document) };
    }
    return built;
  };
  for (const route of [documentRoute, pageRoute]) app.openAPIRegistry.registerPath(route);
  app.get(documentRoute.path, (c) => {
    c.header("Cache-Control", CACHE);
    return c.body(description().text, 200, { "Content-Type": "application/json" });
  });
  app.get(pageRoute.path, async (c) => {
    const { html, policy } = await docsPage(description().document, new URL(c.req.url).origin);
    c.header("Cache-Control", CACHE);
    c.header("Content-Security-Policy", policy);
    return c.html(html, 200);
  });
}
