import * as z from "zod";
import { formatTime } from "../../../contract/time.ts";
import {
  listRefusalsReplySchema,
  listTrustsReplySchema,
  listTrustsSchema,
  putTrustSchema,
  type TrustBody,
  type TrustJwks,
  type TrustRefusals,
  testTrustSchema,
  trustNameSchema,
  trustSchema,
  trustTestSchema,
} from "../../../contract/trust.ts";
import { deleteTrust } from "../../grants/delete-trust.ts";
import { fromColumns } from "../../grants/grant-columns.ts";
import { listRefusals } from "../../grants/list-refusals.ts";
import { putTrust } from "../../grants/put-trust.ts";
import { type FoundTrust, getTrust, listTrusts } from "../../grants/read-trusts.ts";
import { testTrust } from "../../grants/test-trust.ts";
import { json } from "../docs/responses.ts";
import { operation } from "../operation.ts";
import { jsonBody } from "../parse/body.ts";
import { fromCursor, nextCursor } from "../parse/page-cursor.ts";
import { grantBody } from "./grant-body.ts";

const tag = "Trusts";
const permission = "trusts:write";
const params = z.object({ name: trustNameSchema });
const path = "/v1/trusts/{name}";

/** The routes of trusts. */
export const trustRoutes = [
  operation(
    {
      method: "put",
      path,
      id: "putTrust",
      summary: "Trust an OIDC issuer",
      description:
        "From then on its identity tokens whose claims match are exchanged at `/oauth/token`. In `secret_scopes`, `${claim}` is filled from the token; it never gives more than its maker holds. The conditions have to say whose tokens these are, and to be such that a token can fulfil them. When the token that made it is revoked, it is suspended and its tokens end; to put it once more with a good token makes it that token's.",
      tag,
      permission,
      action: "trust.put",
      on: { target: "name" },
      params,
      body: jsonBody(putTrustSchema),
      problems: ["write-conflict", "quota-exceeded"],
      replies: { 200: json(trustSchema, "It replaces the one that was there."), 201: json(trustSchema, "The trust is new.") },
    },
    async ({ c, needs, caller, params: { name }, body }) => {
      const { row, created } = await putTrust({ ...needs, address: new URL(c.req.url).origin }, caller, name, body);
      return c.json(trustBody(row), created ? 201 : 200);
    },
  ),
  operation(
    {
      method: "get",
      path,
      id: "getTrust",
      summary: "Get a trust",
      tag,
      permission,
      action: "trust.read",
      on: { target: "name" },
      params,
      problems: ["trust-not-found"],
      replies: { 200: json(trustSchema, "The trust.") },
    },
    async ({ c, needs, caller, params: { name } }) => c.json(trustBody(await getTrust(needs, caller, name))),
  ),
  operation(
    {
      method: "delete",
      path,
      id: "deleteTrust",
      summary: "Delete a trust",
      description: "And revoke the tokens that were exchanged under it.",
      tag,
      permission,
      action: "trust.delete",
      on: { target: "name" },
      params,
      problems: ["trust-not-found", "write-conflict"],
      replies: { 204: { description: "It is gone." } },
    },
    async ({ c, needs, caller, params: { name } }) => {
      await deleteTrust(needs, caller, name);
      return c.body(null, 204);
    },
  ),
  operation(
    {
      method: "get",
      path: "/v1/trusts",
      id: "listTrusts",
      summary: "List trusts",
      tag,
      permission,
      action: "trust.read",
      query: listTrustsSchema,
      replies: { 200: json(listTrustsReplySchema, "One page, by name.") },
    },
    async ({ c, needs, caller, query: { limit, cursor } }) => {
      const { rows, next } = await listTrusts(needs, caller, "trust", limit, fromCursor(z.string(), cursor));
      return c.json({ trusts: rows.map(trustBody), next_cursor: nextCursor(next) });
    },
  ),
  operation(
    {
      method: "post",
      path: `${path}/test`,
      id: "testTrust",
      summary: "Test an identity token under a trust",
      description: "Says what an exchange would come to, and which condition fails. Nothing is exchanged, and nothing is kept of the token.",
      tag,
      permission,
      action: "trust.read",
      on: { target: "name" },
      params,
      body: jsonBody(testTrustSchema),
      problems: ["trust-not-found"],
      replies: { 200: json(trustTestSchema, "What it would come to.") },
    },
    async ({ c, needs, caller, params: { name }, body }) => c.json(await testTrust(needs, caller, name, body.subject_token)),
  ),
  operation(
    {
      method: "get",
      path: `${path}/refusals`,
      id: "listTrustRefusals",
      summary: "List why identity tokens were refused under a trust",
      description: "Up to 20 reasons since the trust last changed, the latest first.",
      tag,
      permission,
      action: "trust.read",
      on: { target: "name" },
      params,
      problems: ["trust-not-found"],
      replies: { 200: json(listRefusalsReplySchema, "The reasons.") },
    },
    async ({ c, needs, caller, params: { name } }) => {
      const rows = await listRefusals(needs, caller, name);
      const refusals = rows.map(({ reason, about, count, first_at, last_at }) => ({
        ...{ reason, about: about || null, count },
        ...{ first_at: formatTime(first_at), last_at: formatTime(last_at) },
      }));
      return c.json({ refusals } satisfies TrustRefusals);
    },
  ),
];

function trustBody(row: FoundTrust): TrustBody {
  const { name, issuer, audience, expires_in, lease_seconds, reuse, jwks_url, created_by, updated_by } = row;
  const claims = JSON.parse(row.claims) as Record<string, string>;
  const times = { created_at: formatTime(row.created_at), created_by, updated_at: formatTime(row.updated_at), updated_by };
  const jwks = row.jwks === null ? null : (JSON.parse(row.jwks) as TrustJwks);
  const lasts = { expires_in, lease_seconds, reuse, suspended: row.suspended === 1 };
  return { name, issuer, audience, claims, ...grantBody(fromColumns(row)), ...lasts, jwks_url, jwks, ...times };
}
