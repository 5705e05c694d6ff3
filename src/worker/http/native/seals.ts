import { sealedReplySchema, sealRowsSchema, unsealedReplySchema } from "../../../contract/seals.ts";
import { listUnsealed, sealRows } from "../../secrets/seal-rows.ts";
import { json } from "../docs/responses.ts";
import { operation } from "../operation.ts";
import { jsonBody } from "../parse/body.ts";

const tag = "Keys";

/** The routes of rows without a seal. */
export const sealRoutes = [
  operation(
    {
      method: "get",
      path: "/v1/seals",
      id: "listUnsealed",
      summary: "List rows without a seal of their own",
      description:
        "From before there were seals, put there by hand, or bent: they count for nothing (with `seals: required` in KEYRING) until the operator's own organization has confirmed them. Some at a time.",
      tag,
      permission: "keys:read",
      action: "keys.read",
      replies: { 200: json(unsealedReplySchema, "The rows, and the digest that confirms them.") },
    },
    async ({ c, needs, caller }) => c.json(await listUnsealed(needs, caller)),
  ),
  operation(
    {
      method: "post",
      path: "/v1/seals",
      id: "sealRows",
      summary: "Seal the rows that a digest names",
      description: "Exactly those that `GET /v1/seals` showed, as they were, or none. Values that are still plaintext are encrypted with it.",
      tag,
      permission: "keys:write",
      action: "keys.seal",
      body: jsonBody(sealRowsSchema),
      problems: ["version-conflict"],
      replies: { 200: json(sealedReplySchema, "What was sealed, and whether others wait.") },
    },
    async ({ c, needs, caller, body: { digest } }) => c.json(await sealRows(needs, caller, digest)),
  ),
];
