import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { type Scope, scopeSchema } from "../../../contract/scope.ts";
import {
  deletedScopeSchema,
  deleteScopeSchema,
  listScopesSchema,
  putScopeSchema,
  type ScopeBody,
  scopeBodySchema,
  scopeListSchema,
} from "../../../contract/scope-tree.ts";
import { deleteScope, deleteScopeSecrets } from "../../scopes/delete-scope.ts";
import { listScopes } from "../../scopes/list-scopes.ts";
import { putScope, type ScopeRow } from "../../scopes/put-scope.ts";
import { json, needs, problems } from "../docs/responses.ts";
import type { HonoEnv } from "../hono-env.ts";
import { auditedAs } from "../middleware/audited-as.ts";
import { fromCursor, toCursor } from "../parse/page-cursor.ts";

const tags = ["Scopes"];
const params = z.object({ scope: scopeSchema });
const path = "/v1/scopes/{scope}";

const putRoute = createRoute({
  method: "put",
  path,
  operationId: "putScope",
  summary: "Put a scope under another",
  description: "A resolve that is given the scope then searches the parent too. A parent is of the same kind or a wider one; a chain has at most 8 links.",
  tags,
  security: needs("secrets:write"),
  middleware: auditedAs("scope.put", { target: "scope" }),
  request: { params, body: { required: true, content: { "application/json": { schema: putScopeSchema } } } },
  responses: { 200: json(scopeBodySchema, "The scope."), ...problems("invalid-request", "scope-cycle", "body-too-large", "unsupported-media-type") },
});

const listRoute = createRoute({
  method: "get",
  path: "/v1/scopes",
  operationId: "listScopes",
  summary: "List scopes",
  description: "Those declared or in use, with their parent and number of secrets.",
  tags,
  security: needs("secrets:read"),
  middleware: auditedAs("scope.read"),
  request: { query: listScopesSchema },
  responses: { 200: json(scopeListSchema, "One page."), ...problems("invalid-request") },
});

const deleteRoute = createRoute({
  method: "delete",
  path,
  operationId: "deleteScope",
  summary: "Take a scope from under its parent, or delete its secrets",
  description: "Without `secrets=true` only the link goes. With it, up to 200 of the scope's secrets are deleted for good; repeat the call until none remain.",
  tags,
  security: needs("secrets:write"),
  middleware: auditedAs("scope.delete", { target: "scope" }),
  request: { params, query: deleteScopeSchema },
  responses: {
    200: json(deletedScopeSchema, "Secrets were deleted."),
    204: { description: "The link is gone." },
    ...problems("invalid-request", "scope-not-found"),
  },
});

/** The routes of the scope tree. */
export function scopeRoutes(): OpenAPIHono<HonoEnv> {
  const app = new OpenAPIHono<HonoEnv>();
  app.openapi(putRoute, async (c) =>
    c.json(scopeBody(await putScope({ db: c.env.DB, now: c.get("now") }, c.get("caller"), c.req.valid("param").scope, c.req.valid("json").parent)), 200),
  );
  app.openapi(listRoute, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const { rows, next } = await listScopes({ db: c.env.DB }, c.get("caller"), limit, fromCursor(z.string(), cursor));
    return c.json({ scopes: rows.map(scopeBody), next_cursor: next === null ? null : toCursor(next) }, 200);
  });
  app.openapi(deleteRoute, async (c) => {
    const needs = { db: c.env.DB, now: c.get("now") };
    const { scope } = c.req.valid("param");
    if (c.req.valid("query").secrets === "true") return c.json(await deleteScopeSecrets(needs, c.get("caller"), scope), 200);
    await deleteScope(needs, c.get("caller"), scope);
    return c.body(null, 204);
  });
  return app;
}

function scopeBody({ scope, parent, secrets }: ScopeRow): ScopeBody {
  return { scope: scope as Scope, parent, secrets };
}
