import { type Permission, permissionInputSchema } from "../../../contract/permission.ts";
import { invalid } from "../../../contract/problem.ts";
import { vaultAuthReplySchema, vaultCreateTokenSchema, vaultIgnoredSchema } from "../../../contract/vault.ts";
import { identifyCaller } from "../../grants/identify-caller.ts";
import { narrowToken } from "../../grants/narrow-token.ts";
import { revokeOwnToken } from "../../grants/revoke-own-token.ts";
import { json } from "../docs/responses.ts";
import { authReply } from "./auth-reply.ts";
import { vaultDone } from "./vault-answer.ts";
import { vaultOperation } from "./vault-operation.ts";

const tag = "Tokens";

/** The routes of the token that a client has. */
export const vaultTokenRoutes = [
  vaultOperation(
    {
      method: "post",
      path: "/v1/auth/token/create",
      id: "vaultCreateToken",
      summary: "Make a narrower token of one's own",
      description:
        "It may do no more, lives no longer, and ends with its parent. `policies` are permissions; left out, all of the parent's. `ttl` and `explicit_max_ttl` are seconds or as in `1h30m`. Terraform's provider makes one for each run. Other fields are not read.",
      tag,
      permission: "any",
      action: "token.create",
      writes: true,
      body: vaultCreateTokenSchema,
      problems: ["quota-exceeded"],
      replies: { 200: json(vaultAuthReplySchema, "The token.") },
    },
    async ({ c, needs, caller, body: { ttl = 0, explicit_max_ttl = 0, display_name, policies, num_uses = 0 } }) => {
      if (num_uses > 0) throw invalid("/num_uses", "a token is not limited by how often it is used");
      const spans = [ttl, explicit_max_ttl].filter((seconds) => seconds > 0);
      const asked = {
        label: labelOf(display_name ?? ""),
        ...(policies && policies.length > 0 && { permissions: permissionsOf(policies) }),
        ...(spans.length > 0 && { expiresIn: Math.min(...spans) }),
      };
      const { token, expiresIn, permissions } = await narrowToken(needs, caller, asked);
      return authReply(c, { token, seconds: expiresIn, permissions: [...permissions].sort(), metadata: { org: caller.org }, orphan: false });
    },
  ),
  vaultOperation(
    {
      method: "post",
      path: "/v1/auth/token/renew-self",
      id: "vaultRenewSelf",
      summary: "Renew the token",
      description: "No token is renewable: it is refused, as Vault refuses to renew one of the type `batch`.",
      tag,
      permission: "any",
      action: "token.read",
      body: vaultIgnoredSchema,
      problems: [],
      replies: { 200: json(vaultAuthReplySchema, "Never: no token is renewable.") },
    },
    async ({ needs, caller }) => {
      await identifyCaller(needs, caller);
      throw invalid("", "lease is not renewable");
    },
  ),
  vaultOperation(
    {
      method: "post",
      path: "/v1/auth/token/revoke-self",
      id: "vaultRevokeSelf",
      summary: "Revoke the token",
      description: "And every token that it minted. It needs no permission to make an end of itself.",
      tag,
      permission: "any",
      action: "token.revoke",
      writes: true,
      body: vaultIgnoredSchema,
      problems: ["write-conflict", "quota-exceeded"],
      replies: { 204: { description: "It is revoked." } },
    },
    async ({ c, needs, caller }) => {
      await revokeOwnToken(needs, caller);
      return vaultDone(c);
    },
  ),
];

/** Vault's own policy says nothing here; one that is no permission would be read as less than it means. */
function permissionsOf(policies: readonly string[]): Set<Permission> {
  return new Set(
    policies
      .filter((policy) => policy !== "default")
      .map((policy) => {
        const { data, error } = permissionInputSchema.safeParse(policy);
        if (error) throw invalid("/policies", "a policy is a permission here, as secrets:resolve");
        return data;
      }),
  );
}

function labelOf(name: string): string {
  if (/[\p{Cc}\p{Cs}]/u.test(name)) throw invalid("/display_name", "a name has no control characters");
  return name === "" ? "token" : name;
}
