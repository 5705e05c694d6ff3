import * as z from "zod";
import {
  type LoginBody,
  type LoginClient,
  listLoginsReplySchema,
  listLoginsSchema,
  loginNameSchema,
  loginSchema,
  putLoginSchema,
} from "../../../contract/login.ts";
import { formatTime } from "../../../contract/time.ts";
import { deleteTrust } from "../../grants/delete-trust.ts";
import { fromColumns } from "../../grants/grant-columns.ts";
import { type FoundTrust, getTrust, listTrusts } from "../../grants/read-trusts.ts";
import { putLogin } from "../../logins/put-login.ts";
import { callbackOf } from "../console/callback.ts";
import { json } from "../docs/responses.ts";
import { operation } from "../operation.ts";
import { jsonBody } from "../parse/body.ts";
import { fromCursor, nextCursor } from "../parse/page-cursor.ts";
import { CREDENTIAL_PROBLEMS } from "./credential-problems.ts";
import { grantBody } from "./grant-body.ts";

const tag = "Logins";
const permission = "trusts:write";
const params = z.object({ name: loginNameSchema });
const path = "/v1/logins/{name}";

/** The routes of logins. */
export const loginRoutes = [
  operation(
    {
      method: "put",
      path,
      id: "putLogin",
      summary: "Let people log in by an OpenID provider",
      description:
        "From then on the console and `keyhole login` offer it. Rules are those of trusts: what claims have to be, and what that gives, which is never more than its maker holds. The client's secret is a secret of the organization, which its maker may use, and which is there when the login is made; without one the client proves itself by PKCE alone. The provider has to have `callback` as the client's redirect URI. A login and a trust of one name cannot be there together.",
      tag,
      permission,
      action: "trust.put",
      on: { target: "name" },
      params,
      body: jsonBody(putLoginSchema),
      problems: [...CREDENTIAL_PROBLEMS, "write-conflict", "quota-exceeded", "integrity-failed"],
      replies: { 200: json(loginSchema, "It replaces the one that was there."), 201: json(loginSchema, "The login is new.") },
    },
    async ({ c, needs, caller, params: { name }, body }) => {
      const { row, created } = await putLogin({ ...needs, address: new URL(c.req.url).origin }, caller, name, body);
      return c.json(loginBody(c.req.url, row), created ? 201 : 200);
    },
  ),
  operation(
    {
      method: "get",
      path,
      id: "getLogin",
      summary: "Get a login",
      tag,
      permission,
      action: "trust.read",
      on: { target: "name" },
      params,
      problems: ["login-not-found"],
      replies: { 200: json(loginSchema, "The login.") },
    },
    async ({ c, needs, caller, params: { name } }) => c.json(loginBody(c.req.url, await getTrust(needs, caller, name, "login"))),
  ),
  operation(
    {
      method: "delete",
      path,
      id: "deleteLogin",
      summary: "Delete a login",
      description: "And end the sessions and tokens of who logged in by it.",
      tag,
      permission,
      action: "trust.delete",
      on: { target: "name" },
      params,
      problems: ["login-not-found", "write-conflict"],
      replies: { 204: { description: "It is gone." } },
    },
    async ({ c, needs, caller, params: { name } }) => {
      await deleteTrust(needs, caller, name, "login");
      return c.body(null, 204);
    },
  ),
  operation(
    {
      method: "get",
      path: "/v1/logins",
      id: "listLogins",
      summary: "List logins",
      tag,
      permission,
      action: "trust.read",
      query: listLoginsSchema,
      replies: { 200: json(listLoginsReplySchema, "One page, by name.") },
    },
    async ({ c, needs, caller, query: { limit, cursor } }) => {
      const { rows, next } = await listTrusts(needs, caller, "login", limit, fromCursor(z.string(), cursor));
      return c.json({ logins: rows.map((row) => loginBody(c.req.url, row)), next_cursor: nextCursor(next) });
    },
  ),
];

function loginBody(url: string, row: FoundTrust): LoginBody {
  const { org, name, issuer, audience: client_id, expires_in, created_by, updated_by } = row;
  const { client_secret, scopes } = JSON.parse(row.login ?? "") as LoginClient;
  const claims = JSON.parse(row.claims) as Record<string, string>;
  const times = { created_at: formatTime(row.created_at), created_by, updated_at: formatTime(row.updated_at), updated_by };
  const callback = callbackOf(url, org, name);
  const client = { client_id, client_secret, scopes: [...scopes] };
  return { name, issuer, ...client, claims, ...grantBody(fromColumns(row)), expires_in, callback, suspended: row.suspended === 1, ...times };
}
