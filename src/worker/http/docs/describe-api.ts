import type { Context } from "hono";
import * as z from "zod";
import { Problem } from "../../../contract/problem.ts";
import type { HonoEnv } from "../hono-env.ts";
import { publicRoute, type Route } from "../operation.ts";
import { PAGE_HEADERS } from "../page-headers.ts";
import { buildApiDocument } from "./api-document.ts";
import type { ApiDocument } from "./api-types.ts";
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
 * The routes of the API description: `/openapi.json`, generated from the schemas that validate, and `/docs`, which was
 * made of it and of the guides.
 *
 * @param all Every route of Keyhole's own API that is described, these among them.
 * @param vault The routes of Vault's wire, which has a description of its own.
 */
export function describeApi(all: (own: readonly Route[]) => readonly Route[], vault: readonly Route[]): Route[] {
  // Made when first asked for, once for each isolate: most isolates never are.
  const native = once(() => buildApiDocument(NATIVE_API, all(routes)));
  const wire = once(() => buildApiDocument(VAULT_API, vault));
  const routes = [documentRoute(native), vaultDocumentRoute(wire), pageRoute, vaultPageRoute];
  return routes;
}

/** The text of a document that is made when it is first asked for. */
function once(make: () => ApiDocument): () => string {
  let built: string | undefined;
  return () => {
    built ??= JSON.stringify(make());
    return built;
  };
}

function documentRoute(description: () => string): Route {
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

function vaultDocumentRoute(description: () => string): Route {
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

function documentReply(c: Context<HonoEnv>, text: string): Response {
  return c.body(text, 200, { "Content-Type": "application/json", "Cache-Control": CACHE });
}

const PAGE = { 200: { description: "The page.", content: { "text/html": { schema: z.string().meta({ example: "<!doctype html>" }) } } } };
const ABOUT_PAGE = "One page, made when Keyhole was built. Its script searches what is on it, and nothing is loaded from anywhere else.";

const pageRoute = publicRoute(
  { method: "get", path: "/docs", id: "docs", summary: "The guides and this description, for people", description: ABOUT_PAGE, tag, replies: PAGE },
  (c) => pageReply(c, "/docs.html"),
);

const vaultPageRoute = publicRoute(
  { method: "get", path: "/docs/vault", id: "docsVault", summary: "The description of Vault's wire, for people", description: ABOUT_PAGE, tag, replies: PAGE },
  (c) => pageReply(c, "/docs-vault.html"),
);

/** @throws {Problem} `route-not-found` where a deployment was made without it. */
async function pageReply(c: Context<HonoEnv>, file: string): Promise<Response> {
  const found = await c.env.CONSOLE?.fetch(new URL(file, c.req.url));
  if (!found?.ok) throw new Problem("route-not-found", "This deployment was made without its documentation: /openapi.json describes the API.");
  return new Response(found.body, { headers: { ...PAGE_HEADERS, "Content-Type": "text/html; charset=UTF-8", "Cache-Control": CACHE } });
}
