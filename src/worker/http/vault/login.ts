import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import * as z from "zod";
import { orgSchema } from "../../../contract/org-name.ts";
import { invalid, Problem } from "../../../contract/problem.ts";
import { trustNameSchema } from "../../../contract/trust.ts";
import { vaultAppRoleSchema, vaultAuthReplySchema, vaultLoginSchema } from "../../../contract/vault.ts";
import { unauthenticated } from "../../access/verify-token.ts";
import { exchangeToken } from "../../grants/exchange-token.ts";
import { identifyCaller } from "../../grants/identify-caller.ts";
import { refusalsOf } from "../count-refusal.ts";
import { json } from "../docs/responses.ts";
import type { HonoEnv } from "../hono-env.ts";
import { setCaller } from "../middleware/authenticate.ts";
import { configure } from "../middleware/configure.ts";
import { needsOf } from "../needs-of.ts";
import { publicRoute } from "../operation.ts";
import { originOf } from "../origin-of.ts";
import { jsonBody } from "../parse/body.ts";
import { authReply } from "./auth-reply.ts";
import { isNamespace } from "./is-namespace.ts";
import { readVaultBody } from "./vault-body.ts";
import { namedSegments, vaultPath } from "./vault-path.ts";

const tag = "Tokens";
const MAX_BYTES = 65_536;

const limitBody = bodyLimit({
  maxSize: MAX_BYTES,
  onError: () => {
    throw new Problem("body-too-large", "The body of a login has at most 64 KiB.");
  },
});
const middleware = [configure, limitBody];
const replies = { 200: json(vaultAuthReplySchema, "The token.") };

/** The routes by which clients get a token. A refusal says nothing of what was wrong, or whether there is such an organization. */
export const loginRoutes = [
  publicRoute(
    {
      method: "post",
      path: "/v1/auth/approle/login",
      id: "vaultAppRoleLogin",
      summary: "Log in with a token",
      description: "For clients that know nothing but AppRole: `role_id` is a token's id and `secret_id` that token, which comes back as it is.",
      tag,
      middleware,
      body: jsonBody(vaultAppRoleSchema),
      replies,
    },
    answerAppRole,
  ),
  publicRoute(
    {
      method: "post",
      path: "/v1/auth/{mount}/login",
      id: "vaultLogin",
      summary: "Exchange an identity token for a Keyhole token",
      description: "As `POST /oauth/token` does it: `role` names the organization and its trust. What the method is called in the path says nothing.",
      tag,
      middleware,
      params: z.object({ mount: z.string().meta({ description: "Whatever the client calls the method, in one segment or several.", example: "jwt" }) }),
      body: jsonBody(vaultLoginSchema),
      replies,
    },
    answerLogin,
  ),
];

async function answerLogin(c: Context<HonoEnv>): Promise<Response> {
  namedSegments(vaultPath(c.req.raw.url), 1);
  const { parsed } = await readVaultBody(c, vaultLoginSchema);
  const [org = "", trust = "", ...rest] = parsed.role.split("/");
  if (!orgSchema.safeParse(org).success || !trustNameSchema.safeParse(trust).success || rest.length > 0)
    throw invalid("/role", "a role is <organization>/<trust>");
  requireSameNamespace(c, org);
  const needs = needsOf(c);
  const exchange = { subjectToken: parsed.jwt, org, trust, scope: undefined };
  const { token, expiresIn, permissions } = await exchangeToken({ ...needs, minting: needs, refusals: refusalsOf(c.env), origin: originOf(c) }, exchange);
  return authReply(c, { token, seconds: expiresIn, permissions, metadata: { org, role: parsed.role }, orphan: true });
}

async function answerAppRole(c: Context<HonoEnv>): Promise<Response> {
  const { parsed } = await readVaultBody(c, vaultAppRoleSchema);
  const caller = await setCaller(c, parsed.secret_id);
  if (caller.tokenId !== parsed.role_id) throw unauthenticated("wrong-audience");
  requireSameNamespace(c, caller.org);
  const needs = needsOf(c);
  await identifyCaller(needs, caller);
  const seconds = Math.max(0, Math.floor(((caller.expiresAt ?? 0) - needs.now.getTime()) / 1000));
  return authReply(c, { token: parsed.secret_id, seconds, permissions: [...caller.permissions].sort(), metadata: { org: caller.org }, orphan: true });
}

/** What is said of the organization elsewhere in the request is no other one. It is told in the same way as whatever is wrong. */
function requireSameNamespace(c: Context<HonoEnv>, org: string): void {
  if (!isNamespace(c, org, vaultPath(c.req.raw.url))) throw unauthenticated("wrong-audience");
}
