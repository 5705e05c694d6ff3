import * as z from "zod";
import { publicRoute, type Route } from "../operation.ts";
import { buildApiDocument } from "./api-document.ts";
import type { ApiDocument } from "./api-types.ts";
import { docsPage } from "./docs-page.ts";
import { json } from "./responses.ts";

const tag = "System";
/** A deployment changes it, and nothing else does. */
const CACHE = "public, max-age=300";

const documentSchema = z
  .looseObject({ openapi: z.string(), info: z.looseObject({ title: z.string(), version: z.string() }), paths: z.record(z.string(), z.unknown()) })
  .meta({ id: "OpenApiDocument", description: "An OpenAPI document.", example: { openapi: "3.1.0", info: { title: "Keyhole", version: "1" }, paths: {} } });

/**
 * The routes of the API description: `/openapi.json`, generated from the schemas that validate, and `/docs`, which shows it
 * in a browser.
 *
 * @param all Every route that is described, these two among them.
 */
export function describeApi(all: (own: readonly Route[]) => readonly Route[]): Route[] {
  // Built when first asked for, once for each isolate: most isolates never are.
  let built: { document: ApiDocument; text: string } | undefined;
  const description = () => {
    if (!built) {
      const document = buildApiDocument(all(routes));
      built = { document, text: JSON.stringify(document) };
    }
    return built;
  };
  const routes = [documentRoute(() => description().text), pageRoute(() => description().document)];
  return routes;
}

function documentRoute(text: () => string): Route {
  return publicRoute(
    {
      method: "get",
      path: "/openapi.json",
      id: "openapi",
      summary: "This description, for machines",
      description: "OpenAPI 3.1.",
      tag,
      replies: { 200: json(documentSchema, "The document.") },
    },
    (c) => c.body(text(), 200, { "Content-Type": "application/json", "Cache-Control": CACHE }),
  );
}

function pageRoute(document: () => ApiDocument): Route {
  return publicRoute(
    {
      method: "get",
      path: "/docs",
      id: "docs",
      summary: "This description, for people",
      description: "One page without scripts, which loads nothing from anywhere.",
      tag,
      replies: { 200: { description: "The page.", content: { "text/html": { schema: z.string().meta({ example: "<!doctype html>" }) } } } },
    },
    async (c) => {
      const { html, policy } = await docsPage(document(), new URL(c.req.url).origin);
      c.header("Cache-Control", CACHE);
      c.header("Content-Security-Policy", policy);
      return c.html(html, 200);
    },
  );
}
