import type { Context } from "hono";
import { invalid } from "../../../contract/problem.ts";
import { formatTime } from "../../../contract/time.ts";
import { vaultLookupAccessorSchema, vaultLookupReplySchema, vaultLookupSchema } from "../../../contract/vault.ts";
import type { Caller } from "../../access/caller.ts";
import { identifyCaller } from "../../grants/identify-caller.ts";
import { json } from "../docs/responses.ts";
import type { HonoEnv } from "../hono-env.ts";
import type { RequestNeeds } from "../needs-of.ts";
import { vaultReply } from "./vault-answer.ts";
import { vaultOperation } from "./vault-operation.ts";

const common = {
  tag: "Tokens",
  permission: "any",
  action: "token.read",
  problems: [],
  replies: { 200: json(vaultLookupReplySchema, "The token.") },
} as const;

/** The routes that show what the token is that a client has. Of another one nothing is said, whoever asks. */
export const lookupRoutes = [
  vaultOperation(
    {
      ...common,
      method: "get",
      path: "/v1/auth/token/lookup-self",
      id: "vaultLookupSelf",
      summary: "Show what the token is",
      description: "Its type is `batch`, so that clients do not revoke it each time that they close.",
    },
    async ({ c, needs, caller }) => tokenReply(c, needs, caller, c.get("token")),
  ),
  vaultOperation(
    {
      ...common,
      method: "get",
      path: "/v1/auth/token/lookup",
      id: "vaultLookupOwn",
      summary: "Show what the token is",
    },
    async ({ c, needs, caller }) => tokenReply(c, needs, caller, c.get("token")),
  ),
  vaultOperation(
    {
      ...common,
      method: "post",
      path: "/v1/auth/token/lookup",
      id: "vaultLookup",
      summary: "Show what the token is",
      description:
        "`token` is the one that the request is made with, or left out. Another one is refused: `GET /v1/tokens` shows what there is to know of tokens.",
      body: vaultLookupSchema,
    },
    async ({ c, needs, caller, body: { token } }) => {
      const own = c.get("token");
      if (token !== "" && token !== own) throw await anotherToken(needs, caller);
      return tokenReply(c, needs, caller, own);
    },
  ),
  vaultOperation(
    {
      ...common,
      method: "post",
      path: "/v1/auth/token/lookup-accessor",
      id: "vaultLookupAccessor",
      summary: "Show what the token is, without the token",
      description: "A token's accessor is its id here, and only that of the token is taken that the request is made with.",
      body: vaultLookupAccessorSchema,
    },
    async ({ c, needs, caller, body: { accessor } }) => {
      if (accessor === "") throw invalid("/accessor", "missing accessor");
      if (accessor !== caller.tokenId) throw await anotherToken(needs, caller);
      return tokenReply(c, needs, caller, "");
    },
  ),
];

/** The refusal to show another token, once it is known that the one that asks is in force. */
async function anotherToken(needs: RequestNeeds, caller: Caller) {
  await identifyCaller(needs, caller);
  return caller.refuse("tokens:write", "only the token itself is shown here");
}

async function tokenReply(c: Context<HonoEnv>, needs: RequestNeeds, caller: Caller, id: string): Promise<Response> {
  await identifyCaller(needs, caller);
  const { issuedAt = 0 } = caller.lineage ?? {};
  const [issued, expires, now] = [issuedAt * 1000, caller.expiresAt ?? 0, needs.now.getTime()];
  const data = {
    id,
    type: "batch",
    accessor: "",
    entity_id: "",
    policies: [...caller.permissions].sort(),
    display_name: caller.subject,
    meta: { org: caller.org },
    issue_time: formatTime(issued),
    creation_time: Math.floor(issuedAt),
    creation_ttl: Math.max(0, Math.floor((expires - issued) / 1000)),
    ttl: Math.max(0, Math.floor((expires - now) / 1000)),
    expire_time: formatTime(expires),
    explicit_max_ttl: 0,
    renewable: false,
    num_uses: 0,
    orphan: true,
    path: "auth/token/create",
  };
  return vaultReply(c, data);
}
