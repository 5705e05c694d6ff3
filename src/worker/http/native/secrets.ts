import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { z } from "zod";
import { scopeSchema } from "../../../contract/scope.ts";
import {
  createSecretSchema,
  listSecretsReplySchema,
  listSecretsSchema,
  patchSecretSchema,
  type SetSecretReply,
  secretSchema,
  setSecretReplySchema,
  setSecretSchema,
} from "../../../contract/secret.ts";
import { secretNameSchema } from "../../../contract/secret-name.ts";
import { deleteSecret } from "../../secrets/delete-secret.ts";
import { getSecret } from "../../secrets/get-secret.ts";
import { listSecrets } from "../../secrets/list-secrets.ts";
import { patchSecret } from "../../secrets/patch-secret.ts";
import { createSecret, setSecret } from "../../secrets/set-secret.ts";
import type { Write } from "../../secrets/write-secrets.ts";
import { ETAG_HEADER, json, needs, problems } from "../docs/responses.ts";
import type { HonoEnv } from "../hono-env.ts";
import { auditedAs } from "../middleware/audited-as.ts";
import { fromCursor, toCursor } from "../parse/page-cursor.ts";
import { secretIdSchema, WRITE_CONDITIONS } from "../parse/parameters.ts";
import { changeOf, readSetBody } from "../parse/parse-change.ts";
import { parseValue } from "../parse/parse-value.ts";
import { precondition, writeNeeds } from "../write-needs.ts";
import { secretBody, secretEtag } from "./secret-body.ts";

const tags = ["Secrets"];
const byName = z.object({ scope: scopeSchema, name: secretNameSchema });
const byId = z.object({ id: secretIdSchema });
const position = z.object({ name: z.string(), scope: z.string() });

const setRoute = createRoute({
  method: "put",
  path: "/v1/scopes/{scope}/secrets/{name}",
  operationId: "setSecret",
  summary: "Set a secret",
  description:
    "Creates the secret or adds a version to it. The same value again adds no version. Fields that are left out stay as they are. A raw body is the value itself: `text/plain` (UTF-8) or `application/octet-stream`.",
  tags,
  security: needs("secrets:write"),
  middleware: auditedAs("secret.update"),
  parameters: WRITE_CONDITIONS,
  request: {
    params: byName,
    body: {
      content: {
        "application/json": { schema: setSecretSchema },
        "text/plain": { schema: z.string().meta({ example: "sk-example-not-a-key" }) },
        "application/octet-stream": { schema: z.string().meta({ format: "binary", example: "bytes" }) },
      },
    },
  },
  responses: {
    200: { ...json(setSecretReplySchema, "The secret was there."), headers: ETAG_HEADER },
    201: { ...json(setSecretReplySchema, "The secret is new."), headers: ETAG_HEADER },
    ...problems("invalid-request", "version-conflict", "body-too-large", "value-too-large", "unsupported-media-type", "name-reserved"),
  },
});

const getByNameRoute = createRoute({
  method: "get",
  path: "/v1/scopes/{scope}/secrets/{name}",
  operationId: "getSecret",
  summary: "Get a secret's metadata",
  description: "The value is not part of it; only a resolve gives values.",
  tags,
  security: needs("secrets:read"),
  middleware: auditedAs("secret.read"),
  request: { params: byName },
  responses: { 200: { ...json(secretSchema, "The secret."), headers: ETAG_HEADER }, ...problems("invalid-request", "secret-not-found") },
});

const deleteByNameRoute = createRoute({
  method: "delete",
  path: "/v1/scopes/{scope}/secrets/{name}",
  operationId: "deleteSecret",
  summary: "Delete a secret",
  description: "With all its versions, for good.",
  tags,
  security: needs("secrets:write"),
  middleware: auditedAs("secret.delete"),
  parameters: WRITE_CONDITIONS,
  request: { params: byName },
  responses: { 204: { description: "It is gone." }, ...problems("invalid-request", "secret-not-found", "version-conflict") },
});

const createSecretRoute = createRoute({
  method: "post",
  path: "/v1/secrets",
  operationId: "createSecret",
  summary: "Create a secret",
  description: "Refused when the scope holds a secret of this name.",
  tags,
  security: needs("secrets:write"),
  middleware: auditedAs("secret.create"),
  request: { body: { required: true, content: { "application/json": { schema: createSecretSchema } } } },
  responses: {
    201: {
      ...json(secretSchema, "The secret is new."),
      headers: {
        ...ETAG_HEADER,
        Location: { description: "Where it is.", schema: { type: "string" as const }, example: "/v1/secrets/sec_1f0c2b7a9d3e4f5a8b6c7d8e9f0a1b2c" },
      },
    },
    ...problems("invalid-request", "secret-exists", "body-too-large", "value-too-large", "unsupported-media-type", "name-reserved"),
  },
});

const listRoute = createRoute({
  method: "get",
  path: "/v1/secrets",
  operationId: "listSecrets",
  summary: "List secrets",
  description: "By name, then scope; only what the token's grant covers. A page goes on where the one before ended, whatever was written between them.",
  tags,
  security: needs("secrets:read"),
  middleware: auditedAs("secret.read"),
  request: { query: listSecretsSchema },
  responses: { 200: json(listSecretsReplySchema, "One page."), ...problems("invalid-request") },
});

const getByIdRoute = createRoute({
  method: "get",
  path: "/v1/secrets/{id}",
  operationId: "getSecretById",
  summary: "Get a secret's metadata by its id",
  tags,
  security: needs("secrets:read"),
  middleware: auditedAs("secret.read", { secret: "id" }),
  request: { params: byId },
  responses: { 200: { ...json(secretSchema, "The secret."), headers: ETAG_HEADER }, ...problems("invalid-request", "secret-not-found") },
});

const patchRoute = createRoute({
  method: "patch",
  path: "/v1/secrets/{id}",
  operationId: "patchSecret",
  summary: "Change a secret by its id",
  description: "Fields that are left out stay as they are; `null` clears one.",
  tags,
  security: needs("secrets:write"),
  middleware: auditedAs("secret.update", { secret: "id" }),
  parameters: WRITE_CONDITIONS,
  request: { params: byId, body: { required: true, content: { "application/json": { schema: patchSecretSchema } } } },
  responses: {
    200: { ...json(setSecretReplySchema, "The secret."), headers: ETAG_HEADER },
    ...problems("invalid-request", "secret-not-found", "version-conflict", "body-too-large", "value-too-large", "unsupported-media-type"),
  },
});

const deleteByIdRoute = createRoute({
  method: "delete",
  path: "/v1/secrets/{id}",
  operationId: "deleteSecretById",
  summary: "Delete a secret by its id",
  description: "With all its versions, for good.",
  tags,
  security: needs("secrets:write"),
  middleware: auditedAs("secret.delete", { secret: "id" }),
  parameters: WRITE_CONDITIONS,
  request: { params: byId },
  responses: { 204: { description: "It is gone." }, ...problems("invalid-request", "secret-not-found", "version-conflict") },
});

/** The routes of secrets: what people write, and what they may read of it. */
export function secretRoutes(): OpenAPIHono<HonoEnv> {
  const app = new OpenAPIHono<HonoEnv>();
  // The body is required, but only a JSON one is for the validator to parse: so the description says more than the route.
  app.openAPIRegistry.registerPath({ ...setRoute, request: { ...setRoute.request, body: { ...setRoute.request.body, required: true } } });
  app.openapi({ ...setRoute, hide: true }, async (c) => {
    const { value, ...fields } = await readSetBody(c.req, c.req.valid("json"));
    const written = await setSecret(writeNeeds(c), c.get("caller"), c.req.valid("param"), { ...changeOf(fields), value }, precondition(c));
    return c.json(writtenBody(c, written), written.outcome === "created" ? 201 : 200);
  });
  app.openapi(getByNameRoute, async (c) => {
    const row = await getSecret({ db: c.env.DB }, c.get("caller"), c.req.valid("param"));
    c.header("ETag", secretEtag(row));
    return c.json(secretBody(row, c.get("now")), 200);
  });
  app.openapi(deleteByNameRoute, async (c) => {
    await deleteSecret({ db: c.env.DB, now: c.get("now") }, c.get("caller"), c.req.valid("param"), precondition(c));
    return c.body(null, 204);
  });
  app.openapi(createSecretRoute, async (c) => {
    const { scope, name, value, encoding = "utf8", ...fields } = c.req.valid("json");
    const change = { ...changeOf(fields), value: parseValue(value, encoding) };
    const { row } = await createSecret(writeNeeds(c), c.get("caller"), { scope, name }, change);
    c.header("ETag", secretEtag(row));
    c.header("Location", `/v1/secrets/${row.id}`);
    return c.json(secretBody(row, c.get("now")), 201);
  });
  app.openapi(listRoute, async (c) => {
    const { cursor, ...query } = c.req.valid("query");
    const { rows, next } = await listSecrets({ db: c.env.DB, now: c.get("now") }, c.get("caller"), query, fromCursor(position, cursor));
    return c.json({ secrets: rows.map((row) => secretBody(row, c.get("now"))), next_cursor: next && toCursor(next) }, 200);
  });
  app.openapi(getByIdRoute, async (c) => {
    const row = await getSecret({ db: c.env.DB }, c.get("caller"), c.req.valid("param"));
    c.header("ETag", secretEtag(row));
    return c.json(secretBody(row, c.get("now")), 200);
  });
  app.openapi(patchRoute, async (c) => {
    const { value, encoding = "utf8", ...fields } = c.req.valid("json");
    const change = { ...changeOf(fields), value: value === undefined ? undefined : parseValue(value, encoding) };
    const written = await patchSecret(writeNeeds(c), c.get("caller"), c.req.valid("param").id, change, precondition(c));
    return c.json(writtenBody(c, written), 200);
  });
  app.openapi(deleteByIdRoute, async (c) => {
    await deleteSecret({ db: c.env.DB, now: c.get("now") }, c.get("caller"), c.req.valid("param"), precondition(c));
    return c.body(null, 204);
  });
  return app;
}

type Ctx = Context<HonoEnv>;
function writtenBody(c: Ctx, { row, outcome }: Write): SetSecretReply {
  c.header("ETag", secretEtag(row));
  return { ...secretBody(row, c.get("now")), changed: outcome !== "unchanged" };
}
