import * as z from "zod";
import { formatTime } from "../../../contract/time.ts";
import { createTokenReplySchema, createTokenSchema, listTokensReplySchema, listTokensSchema, type TokenBody, whoamiSchema } from "../../../contract/token.ts";
import { createToken } from "../../grants/create-token.ts";
import { fromColumns } from "../../grants/grant-columns.ts";
import { identifyCaller } from "../../grants/identify-caller.ts";
import { type ListedToken, listTokens } from "../../grants/list-tokens.ts";
import { revokeToken } from "../../grants/revoke-token.ts";
import { json } from "../docs/responses.ts";
import { operation } from "../operation.ts";
import { jsonBody } from "../parse/body.ts";
import { fromCursor, nextCursor } from "../parse/page-cursor.ts";
import { grantBody } from "./grant-body.ts";

const tag = "Tokens";
const permission = "tokens:write";
const position = z.object({ createdAt: z.int(), id: z.string() });
const byId = z.object({ id: z.string().max(128).meta({ description: "A token's id.", example: "tok_1f0c2b7a9d3e4f5a8b6c7d8e9f0a1b2c" }) });

/** The routes of tokens. */
export const tokenRoutes = [
  operation(
    {
      method: "post",
      path: "/v1/tokens",
      id: "createToken",
      summary: "Mint a token",
      description: "For CI, a gateway, an agent. It never gets more than its maker holds, and is shown this once.",
      tag,
      permission,
      action: "token.create",
      body: jsonBody(createTokenSchema),
      problems: ["quota-exceeded"],
      replies: { 201: json(createTokenReplySchema, "The token.") },
    },
    async ({ c, needs, caller, body }) => {
      const { row, token } = await createToken(needs, caller, body);
      return c.json({ ...tokenBody(row), token }, 201);
    },
  ),
  operation(
    {
      method: "get",
      path: "/v1/tokens",
      id: "listTokens",
      summary: "List tokens",
      description: "Newest first, without the tokens themselves; those within the caller's own limits. Exchanged tokens are listed too.",
      tag,
      permission,
      action: "token.read",
      query: listTokensSchema,
      replies: { 200: json(listTokensReplySchema, "One page.") },
    },
    async ({ c, needs, caller, query: { limit, cursor } }) => {
      const { rows, next } = await listTokens(needs, caller, limit, fromCursor(position, cursor));
      return c.json({ tokens: rows.map(tokenBody), next_cursor: nextCursor(next) });
    },
  ),
  operation(
    {
      method: "delete",
      path: "/v1/tokens/{id}",
      id: "revokeToken",
      summary: "Revoke a token",
      description: "And every token that it minted, in force from the next request on. One's own token needs no permission.",
      tag,
      permission,
      action: "token.revoke",
      on: { target: "id" },
      params: byId,
      problems: ["token-not-found", "write-conflict"],
      replies: { 204: { description: "It is revoked." } },
    },
    async ({ c, needs, caller, params: { id } }) => {
      await revokeToken(needs, caller, id);
      return c.body(null, 204);
    },
  ),
  operation(
    {
      method: "get",
      path: "/v1/whoami",
      id: "whoami",
      summary: "Show what the token is and may do",
      tag,
      permission: "any",
      replies: { 200: json(whoamiSchema, "The caller.") },
    },
    async ({ c, needs, caller }) => {
      await identifyCaller(needs, caller);
      const expires_at = formatTime(caller.expiresAt);
      return c.json({ org: caller.org, sub: caller.subject, token_id: caller.tokenId, ...grantBody(caller), expires_at, lease_seconds: caller.leaseSeconds });
    },
  ),
];

function tokenBody(row: Omit<ListedToken, "ended_at"> & { readonly ended_at?: number | null }): TokenBody {
  const { id, label, created_by, lease_seconds } = row;
  const revoked_at = formatTime(row.revoked_at ?? row.ended_at ?? null);
  const times = { created_at: formatTime(row.created_at), created_by, expires_at: formatTime(row.expires_at) };
  return { id, label, ...grantBody(fromColumns(row)), ...times, lease_seconds, revoked_at };
}
