import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { formatTime } from "../../../contract/time.ts";
import { listTrustsReplySchema, putTrustSchema, type TrustBody, trustNameSchema, trustSchema } from "../../../contract/trust.ts";
import { deleteTrust } from "../../grants/delete-trust.ts";
import { fromColumns, grantBody } from "../../grants/grant-columns.ts";
import { putTrust } from "../../grants/put-trust.ts";
import { getTrust, listTrusts, type TrustRow } from "../../grants/read-trusts.ts";
import { json, needs, problems } from "../docs/responses.ts";
import type { HonoEnv } from "../hono-env.ts";
import { auditedAs } from "../middleware/audited-as.ts";

const tags = ["Trusts"];
const params = z.object({ name: trustNameSchema });
const path = "/v1/trusts/{name}";

const putRoute = createRoute({
  method: "put",
  path,
  operationId: "putTrust",
  summary: "Trust an OIDC issuer",
  description:
    "From then on its identity tokens whose claims match are exchanged at `/oauth/token`. In `secret_scopes`, `${claim}` is filled from the token; it never gives more than its maker holds.",
  tags,
  security: needs("trusts:write"),
  middleware: auditedAs("trust.put", { target: "name" }),
  request: { params, body: { required: true, content: { "application/json": { schema: putTrustSchema } } } },
  responses: {
    200: json(trustSchema, "It replaces the one that was there."),
    201: json(trustSchema, "The trust is new."),
    ...problems("invalid-request", "body-too-large", "unsupported-media-type"),
  },
});

const getRoute = createRoute({
  method: "get",
  path,
  operationId: "getTrust",
  summary: "Get a trust",
  tags,
  security: needs("trusts:write"),
  middleware: auditedAs("trust.read", { target: "name" }),
  request: { params },
  responses: { 200: json(trustSchema, "The trust."), ...problems("invalid-request", "trust-not-found") },
});

const deleteRoute = createRoute({
  method: "delete",
  path,
  operationId: "deleteTrust",
  summary: "Delete a trust",
  description: "And revoke the tokens that were exchanged under it.",
  tags,
  security: needs("trusts:write"),
  middleware: auditedAs("trust.delete", { target: "name" }),
  request: { params },
  responses: { 204: { description: "It is gone." }, ...problems("invalid-request", "trust-not-found") },
});

const listRoute = createRoute({
  method: "get",
  path: "/v1/trusts",
  operationId: "listTrusts",
  summary: "List trusts",
  tags,
  security: needs("trusts:write"),
  middleware: auditedAs("trust.read"),
  responses: { 200: json(listTrustsReplySchema, "All of them, by name."), ...problems() },
});

/** The routes of trusts. */
export function trustRoutes(): OpenAPIHono<HonoEnv> {
  const app = new OpenAPIHono<HonoEnv>();
  app.openapi(putRoute, async (c) => {
    const needs = { db: c.env.DB, now: c.get("now"), insecureIssuers: c.get("config").insecureIssuers };
    const { row, created } = await putTrust(needs, c.get("caller"), c.req.valid("param").name, c.req.valid("json"));
    return c.json(trustBody(row), created ? 201 : 200);
  });
  app.openapi(getRoute, async (c) => c.json(trustBody(await getTrust({ db: c.env.DB }, c.get("caller"), c.req.valid("param").name)), 200));
  app.openapi(deleteRoute, async (c) => {
    await deleteTrust({ db: c.env.DB, now: c.get("now") }, c.get("caller"), c.req.valid("param").name);
    return c.body(null, 204);
  });
  app.openapi(listRoute, async (c) => c.json({ trusts: (await listTrusts({ db: c.env.DB }, c.get("caller"))).map(trustBody) }, 200));
  return app;
}

function trustBody(row: TrustRow): TrustBody {
  const { name, issuer, audience, expires_in, created_by, updated_by } = row;
  const claims = JSON.parse(row.claims) as Record<string, string>;
  const times = { created_at: formatTime(row.created_at), created_by, updated_at: formatTime(row.updated_at), updated_by };
  return { name, issuer, audience, claims, ...grantBody(fromColumns(row)), expires_in, ...times };
}
