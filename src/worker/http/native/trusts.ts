import * as z from "zod";
import { formatTime } from "../../../contract/time.ts";
import { listTrustsReplySchema, listTrustsSchema, putTrustSchema, type TrustBody, trustNameSchema, trustSchema } from "../../../contract/trust.ts";
import { deleteTrust } from "../../grants/delete-trust.ts";
import { fromColumns } from "../../grants/grant-columns.ts";
import { putTrust } from "../../grants/put-trust.ts";
import { getTrust, listTrusts, type TrustRow } from "../../grants/read-trusts.ts";
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
        "From then on its identity tokens whose claims match are exchanged at `/oauth/token`. In `secret_scopes`, `${claim}` is filled from the token; it never gives more than its maker holds.",
      tag,
      permission,
      action: "trust.put",
      on: { target: "name" },
      params,
      body: jsonBody(putTrustSchema),
      problems: ["quota-exceeded"],
      replies: { 200: json(trustSchema, "It replaces the one that was there."), 201: json(trustSchema, "The trust is new.") },
    },
    async ({ c, needs, caller, params: { name }, body }) => {
      const { row, created } = await putTrust(needs, caller, name, body);
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
      problems: ["trust-not-found"],
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
      const { rows, next } = await listTrusts(needs, caller, limit, fromCursor(z.string(), cursor));
      return c.json({ trusts: rows.map(trustBody), next_cursor: nextCursor(next) });
    },
  ),
];

function trustBody(row: TrustRow): TrustBody {
  const { name, issuer, audience, expires_in, created_by, updated_by } = row;
  const claims = JSON.parse(row.claims) as Record<string, string>;
  const times = { created_at: formatTime(row.created_at), created_by, updated_at: formatTime(row.updated_at), updated_by };
  return { name, issuer, audience, claims, ...grantBody(fromColumns(row)), expires_in, ...times };
}
