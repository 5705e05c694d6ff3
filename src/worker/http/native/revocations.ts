import * as z from "zod";
import {
  createRevocationReplySchema,
  createRevocationSchema,
  listRevocationsReplySchema,
  listRevocationsSchema,
  type RevocationBody,
} from "../../../contract/revocation.ts";
import { formatTime } from "../../../contract/time.ts";
import { createRevocation } from "../../grants/create-revocation.ts";
import { listRevocations, type RevocationRow } from "../../grants/list-revocations.ts";
import { json } from "../docs/responses.ts";
import { operation } from "../operation.ts";
import { jsonBody } from "../parse/body.ts";
import { fromCursor, nextCursor } from "../parse/page-cursor.ts";

const tag = "Tokens";
const permission = "tokens:write";
const path = "/v1/revocations";

/** The routes of revocations that are about more than a token of the list. */
export const revocationRoutes = [
  operation(
    {
      method: "post",
      path,
      id: "createRevocation",
      summary: "Revoke by id, subject or time",
      description:
        "In force from the next request on, for good, with everything that was minted under it; trusts that were made under it are suspended. A token of the list takes as much as it holds, and anything else every permission without limits: the caller's own token always goes. `issued_before` includes the caller's own. What is revoked already is answered as it was. Beyond the quota `revocations` a token of the list is still revoked, and all that was issued until this minute.",
      tag,
      permission,
      action: "token.revoke",
      body: jsonBody(createRevocationSchema),
      problems: ["write-conflict", "quota-exceeded"],
      replies: { 201: json(createRevocationReplySchema, "It is revoked.") },
    },
    async ({ c, needs, caller, body }) => {
      const { row, suspended } = await createRevocation(needs, caller, body);
      return c.json({ ...revocationBody(row, needs.issuer), suspended_trusts: [...suspended] }, 201);
    },
  ),
  operation(
    {
      method: "get",
      path,
      id: "listRevocations",
      summary: "List revocations",
      description:
        "Newest first: what was revoked by these routes, by `DELETE /v1/tokens/{id}`, and by changes of trusts. A caller with limits sees the listed tokens within them.",
      tag,
      permission,
      action: "token.read",
      query: listRevocationsSchema,
      replies: { 200: json(listRevocationsReplySchema, "One page.") },
    },
    async ({ c, needs, caller, query: { limit, cursor } }) => {
      const { rows, next } = await listRevocations(needs, caller, limit, fromCursor(z.int(), cursor));
      return c.json({ revocations: rows.map((row) => revocationBody(row, needs.issuer)), next_cursor: nextCursor(next) });
    },
  ),
];

const NOTHING = { token_id: null, subject: null, issuer: null, trust: null, issued_before: null };

function revocationBody({ n, kind, value, at }: RevocationRow, own: string): RevocationBody {
  const rest = { number: n, revoked_at: formatTime(at), ...NOTHING };
  if (kind === "trust-revision") return { ...rest, kind: "trust", trust: value.replace(/^trust:/, "") };
  if (kind === "before") return { ...rest, kind: "issued-before", issued_before: formatTime(Number(value) * 1000) };
  const [issuer, name] = value.startsWith("[") ? (JSON.parse(value) as [string, string]) : [own, value];
  const whose = { issuer: issuer === own ? null : issuer };
  return kind === "subject" ? { ...rest, ...whose, kind: "subject", subject: name } : { ...rest, ...whose, kind: "token", token_id: name };
}
