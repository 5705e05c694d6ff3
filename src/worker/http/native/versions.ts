import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { setSecretReplySchema } from "../../../contract/secret.ts";
import { formatTime } from "../../../contract/time.ts";
import { listVersionsSchema, rollbackSchema, versionListSchema, versionParamSchema } from "../../../contract/version.ts";
import { destroyVersion } from "../../secrets/destroy-version.ts";
import { listVersions } from "../../secrets/list-versions.ts";
import { rollbackSecret } from "../../secrets/rollback-secret.ts";
import { ETAG_HEADER, json, needs, problems } from "../docs/responses.ts";
import type { HonoEnv } from "../hono-env.ts";
import { auditedAs } from "../middleware/audited-as.ts";
import { fromCursor, toCursor } from "../parse/page-cursor.ts";
import { secretIdSchema, WRITE_CONDITIONS } from "../parse/parameters.ts";
import { precondition, writeNeeds } from "../write-needs.ts";
import { secretBody, secretEtag } from "./secret-body.ts";

const tags = ["Versions"];
const params = z.object({ id: secretIdSchema });

const listRoute = createRoute({
  method: "get",
  path: "/v1/secrets/{id}/versions",
  operationId: "listVersions",
  summary: "List a secret's versions",
  description: "Newest first. The newest ones are kept, as many as the deployment says; a destroyed one leaves only its number behind.",
  tags,
  security: needs("secrets:read"),
  middleware: auditedAs("secret.read", { secret: "id" }),
  request: { params, query: listVersionsSchema },
  responses: { 200: json(versionListSchema, "One page."), ...problems("invalid-request", "secret-not-found") },
});

const rollbackRoute = createRoute({
  method: "post",
  path: "/v1/secrets/{id}/rollback",
  operationId: "rollbackSecret",
  summary: "Make an older value current again",
  description: "As a new version, without anyone reading it.",
  tags,
  security: needs("secrets:write"),
  middleware: auditedAs("secret.rollback", { secret: "id" }),
  parameters: WRITE_CONDITIONS,
  request: { params, body: { required: true, content: { "application/json": { schema: rollbackSchema } } } },
  responses: {
    200: { ...json(setSecretReplySchema, "The secret."), headers: ETAG_HEADER },
    ...problems("invalid-request", "secret-not-found", "version-not-found", "version-conflict", "body-too-large", "unsupported-media-type"),
  },
});

const destroyRoute = createRoute({
  method: "delete",
  path: "/v1/secrets/{id}/versions/{version}",
  operationId: "destroyVersion",
  summary: "Destroy an older value for good",
  description: "The current one is refused.",
  tags,
  security: needs("secrets:write"),
  middleware: auditedAs("secret.destroy", { secret: "id" }),
  parameters: WRITE_CONDITIONS,
  request: { params: params.extend({ version: versionParamSchema }) },
  responses: { 204: { description: "It is destroyed." }, ...problems("invalid-request", "secret-not-found", "version-not-found", "version-conflict") },
});

/** The routes of a secret's versions. */
export function versionRoutes(): OpenAPIHono<HonoEnv> {
  const app = new OpenAPIHono<HonoEnv>();
  app.openapi(listRoute, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const page = await listVersions({ db: c.env.DB }, c.get("caller"), c.req.valid("param").id, limit, fromCursor(z.int(), cursor));
    const versions = page.versions.map(({ version, created_at, created_by, state }) => ({ version, created_at: formatTime(created_at), created_by, state }));
    return c.json({ versions, next_cursor: page.next === null ? null : toCursor(page.next) }, 200);
  });
  app.openapi(rollbackRoute, async (c) => {
    const { row, outcome } = await rollbackSecret(writeNeeds(c), c.get("caller"), c.req.valid("param").id, c.req.valid("json").version, precondition(c));
    c.header("ETag", secretEtag(row));
    return c.json({ ...secretBody(row, c.get("now")), changed: outcome !== "unchanged" }, 200);
  });
  app.openapi(destroyRoute, async (c) => {
    const { id, version } = c.req.valid("param");
    await destroyVersion({ db: c.env.DB, now: c.get("now") }, c.get("caller"), id, version, precondition(c));
    return c.body(null, 204);
  });
  return app;
}
