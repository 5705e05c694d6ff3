import { keysReplySchema, rewrapReplySchema } from "../../../contract/keys.ts";
import { listKeys, rewrapKeys } from "../../keys/rewrap-keys.ts";
import { json } from "../docs/responses.ts";
import { operation } from "../operation.ts";

const tag = "Keys";

/** The routes of the keyring. */
export const keyRoutes = [
  operation(
    {
      method: "get",
      path: "/v1/keys",
      id: "listKeys",
      summary: "List the keyring's keys and what is under each",
      description:
        "The operator's own organization sees the whole deployment (`counted`), any other one what is its own. A key with nothing under it in the whole deployment is free to go.",
      tag,
      permission: "keys:read",
      action: "keys.read",
      replies: { 200: json(keysReplySchema, "The keys.") },
    },
    async ({ c, needs, caller }) => c.json(await listKeys(needs, caller)),
  ),
  operation(
    {
      method: "post",
      path: "/v1/keys/rewrap",
      id: "rewrapKeys",
      summary: "Wrap a batch of data keys under the current key",
      description: "The scheduled run does it too, some each minute. No ciphertext is touched.",
      tag,
      permission: "keys:write",
      action: "keys.rewrap",
      replies: { 200: json(rewrapReplySchema, "What was done, and what is left.") },
    },
    async ({ c, needs, caller }) => c.json(await rewrapKeys(needs, caller)),
  ),
];
