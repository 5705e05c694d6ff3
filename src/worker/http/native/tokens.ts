import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { formatTime } from "../../../contract/time.ts";
import { createTokenReplySchema, createTokenSchema, listTokensReplySchema, listTokensSchema, type TokenBody, whoamiSchema } from "../../../contract/token.ts";
import { createToken } from "../../grants/create-token.ts";
import { fromColumns, grantBody } from "../../grants/grant-columns.ts";
import { identifyCaller } from "../../grants/identify-caller.ts";
import { listTokens, type TokenRow } from "../../grants/list-tokens.ts";
import { revokeToken } from "../../grants/revoke-token.ts";
import { json, needs, problems } from "../docs/responses.ts";
import type { HonoEnv } from "../hono-env.ts";
import { auditedAs } from "../middleware/audited-as.ts";
import { fromCursor, toCursor } from "../parse/page-cursor.ts";

const tags = ["Tokens"];
const position = z.object({ createdAt: z.int(), id: z.string() });

const mintRoute = createRoute({
  method: "post",
  path: "/v1/tokens",
  operationId: "createToken",
  summary: "Mint a token",
  description: "For CI, a gateway, an agent. It never gets more than its maker holds, and is shown this once.",
  tags,
  security: needs("tokens:write"),
  middleware: auditedAs("token.create"),
  request: { body: { required: true, content: { "application/json": { schema: createTokenSchema } } } },
  responses: { 201: json(createTokenReplySchema, "The token."), ...problems("invalid-request", "body-too-large", "unsupported-media-type") },
});

const listRoute = createRoute({
  method: "get",
  path: "/v1/tokens",
  operationId: "listTokens",
  summary: "List tokens",
  description: "Newest first, without the tokens themselves; those within the caller's own limits. Exchanged tokens are listed too.",
  tags,
  security: needs("tokens:write"),
  middleware: auditedAs("token.read"),
  request: { query: listTokensSchema },
  responses: { 200: json(listTokensReplySchema, "One page."), ...problems("invalid-request") },
});

const revokeRoute = createRoute({
  method: "delete",
  path: "/v1/tokens/{id}",
  operationId: "revokeToken",
  summary: "Revoke a token",
  description: "And every token that it minted, in force from the next request on.",
  tags,
  security: needs("tokens:write"),
  middleware: auditedAs("token.revoke", { target: "id" }),
  request: { params: z.object({ id: z.string().max(128).meta({ description: "A token's id.", example: "tok_1f0c2b7a9d3e4f5a8b6c7d8e9f0a1b2c" }) }) },
  responses: { 204: { description: "It is revoked." }, ...problems("invalid-request", "token-not-found") },
});

const whoamiRoute = createRoute({
  method: "get",
  path: "/v1/whoami",
  operationId: "whoami",
  summary: "Show what the token is and may do",
  tags,
  security: [{ token: [] }],
  responses: { 200: json(whoamiSchema, "The caller."), ...problems() },
});

/** The routes of tokens. */
export function tokenRoutes(): OpenAPIHono<HonoEnv> {
  const app = new OpenAPIHono<HonoEnv>();
  app.openapi(mintRoute, async (c) => {
    const now = c.get("now");
    const { row, token } = await createToken({ db: c.env.DB, minting: { ...c.get("config"), now }, now }, c.get("caller"), c.req.valid("json"));
    return c.json({ ...tokenBody(row), token }, 201);
  });
  app.openapi(listRoute, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const { rows, next } = await listTokens({ db: c.env.DB }, c.get("caller"), limit, fromCursor(position, cursor));
    return c.json({ tokens: rows.map(tokenBody), next_cursor: next && toCursor(next) }, 200);
  });
  app.openapi(revokeRoute, async (c) => {
    await revokeToken({ db: c.env.DB, now: c.get("now") }, c.get("caller"), c.req.valid("param").id);
    return c.body(null, 204);
  });
  app.openapi(whoamiRoute, async (c) => {
    const caller = c.get("caller");
    await identifyCaller({ db: c.env.DB }, caller);
    const expires_at = formatTime(caller.expiresAt);
    return c.json({ org: caller.org, sub: caller.subject, token_id: caller.tokenId, ...grantBody(caller), expires_at }, 200);
  });
  return app;
}

function tokenBody(row: TokenRow): TokenBody {
  const { id, label, created_by } = row;
  const revoked_at = formatTime(row.revoked_at);
  return { id, label, ...grantBody(fromColumns(row)), created_at: formatTime(row.created_at), created_by, expires_at: formatTime(row.expires_at), revoked_at };
}
