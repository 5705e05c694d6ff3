import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { keysReplySchema, rewrapReplySchema } from "../../../contract/keys.ts";
import { listKeys, rewrapKeys } from "../../keys/rewrap-keys.ts";
import { json, needs, problems } from "../docs/responses.ts";
import type { HonoEnv } from "../hono-env.ts";
import { auditedAs } from "../middleware/audited-as.ts";

const tags = ["Keys"];

const listRoute = createRoute({
  method: "get",
  path: "/v1/keys",
  operationId: "listKeys",
  summary: "List the keyring's keys and how many versions are under each",
  description:
    "The operator's own organization sees the whole deployment, any other one its own versions. A key with no versions in the whole deployment is free to go.",
  tags,
  security: needs("keys:read"),
  middleware: auditedAs("keys.read"),
  responses: { 200: json(keysReplySchema, "The keys."), ...problems() },
});

const rewrapRoute = createRoute({
  method: "post",
  path: "/v1/keys/rewrap",
  operationId: "rewrapKeys",
  summary: "Wrap a batch of data keys under the current key",
  description: "The scheduled run does it too, some each minute. No ciphertext is touched.",
  tags,
  security: needs("keys:write"),
  middleware: auditedAs("keys.rewrap"),
  responses: { 200: json(rewrapReplySchema, "What was done, and what is left."), ...problems() },
});

/** The routes of the keyring. */
export function keyRoutes(): OpenAPIHono<HonoEnv> {
  const app = new OpenAPIHono<HonoEnv>();
  app.openapi(listRoute, async (c) => c.json(await listKeys(keyNeeds(c), c.get("caller")), 200));
  app.openapi(rewrapRoute, async (c) => c.json(await rewrapKeys(keyNeeds(c), c.get("caller")), 200));
  return app;
}

function keyNeeds(c: Context<HonoEnv>) {
  const { keyring, platformOrg } = c.get("config");
  return { db: c.env.DB, keyring, platformOrg, now: c.get("now") };
}
