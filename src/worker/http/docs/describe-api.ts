import type { Context } from "hono";
import * as z from "zod";
import type { HonoEnv } from "../hono-env.ts";
import { publicRoute, type Route } from "../operation.ts";
import { buildApiDocument } from "./api-document.ts";
import type { ApiDocument } from "./api-types.ts";
import { type DocsLinks, docsPage } from "./docs-page.ts";
import { NATIVE_API } from "./native-api.ts";
import { json } from "./responses.ts";
import { VAULT_API } from "./vault-api.ts";

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
 * @param all Every route of Keyhole's own API that is described, these among them.
 * @param vault The routes of Vault's wire, which has a description of its own.
 */
export function describeApi(all: (own: readonly Route[]) => readonly Route[], vault: readonly Route[]): Route[] {
  // Made when first asked for, once for each isolate: most isolates never are.
  const native = once(() => buildApiDocument(NATIVE_API, all(routes)));
  const wire = once(() => buildApiDocument(VAULT_API, vault));
  const routes = [documentRoute(native), vaultDocumentRoute(wire), pageRoute(native), vaultPageRoute(wire)];
  return routes;
}

/** A document that is made when it is first asked for, with its text. */
interface Description {
  readonly document: ApiDocument;
  readonly text: string;
}

function once(make: () => ApiDocument): () => Description {
  let built: Description | undefined;
  return () => {
    if (!built) {
      const document = make();
      built = { document, text: JSON.stringify(document) };
    }
    return built;
  };
}

function documentRoute(description: () => Description): Route {
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
    (c) => documentReply(c, description()),
  );
}

function vaultDocumentRoute(description: () => Description): Route {
  return publicRoute(
    {
      method: "get",
      path: "/openapi-vault.json",
      id: "openapiVault",
      summary: "The description of Vault's wire, for machines",
      description: "OpenAPI 3.1. It is there whether or not the deployment has turned that wire on.",
      tag,
      replies: { 200: json(documentSchema, "The document.") },
    },
    (c) => documentReply(c, description()),
  );
}

function documentReply(c: Context<HonoEnv>, { text }: Description): Response {
  return c.body(text, 200, { "Content-Type": "application/json", "Cache-Control": CACHE });
}

function pageRoute(description: () => Description): Route {
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
    (c) => pageReply(c, description(), { here: "/openapi.json", there: { path: "/docs/vault", title: "Vault's wire" } }),
  );
}

function vaultPageRoute(description: () => Description): Route {
  return publicRoute(
    {
      method: "get",
      path: "/docs/vault",
      id: "docsVault",
      summary: "The description of Vault's wire, for people",
      description: "One page without scripts, which loads nothing from anywhere.",
      tag,
      replies: { 200: { description: "The page.", content: { "text/html": { schema: z.string().meta({ example: "<!doctype html>" }) } } } },
    },
    (c) => pageReply(c, description(), { here: "/openapi-vault.json", there: { path: "/docs", title: "Keyhole's own API" } }),
  );
}

async function pageReply(c: Context<HonoEnv>, { document }: Description, links: DocsLinks): Promise<Response> {
  const { html, policy } = await docsPage(document, new URL(c.req.url).origin, links);
  c.header("Cache-Control", CACHE);
  c.header("Content-Security-Policy", policy);
  return c.html(html, 200);
}
