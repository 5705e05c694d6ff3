import * as z from "zod";
import { listStoresReplySchema, listStoresSchema, putStoreSchema, type StoreBody, storeSchema } from "../../../contract/store.ts";
import { checkStoreReplySchema, checkStoreSchema } from "../../../contract/store-check.ts";
import { storeNameSchema } from "../../../contract/store-name.ts";
import { formatTime } from "../../../contract/time.ts";
import { checkStore } from "../../stores/check-store.ts";
import { deleteStore } from "../../stores/delete-store.ts";
import { hasAddress } from "../../stores/drivers.ts";
import { identityOf, needsIdentity } from "../../stores/identity-token.ts";
import { putStore } from "../../stores/put-store.ts";
import { type FoundStore, getStore, listStores } from "../../stores/read-stores.ts";
import { json } from "../docs/responses.ts";
import type { RequestNeeds } from "../needs-of.ts";
import { operation } from "../operation.ts";
import { jsonBody, optionalJsonBody } from "../parse/body.ts";
import { fromCursor, nextCursor } from "../parse/page-cursor.ts";
import { CREDENTIAL_PROBLEMS } from "./credential-problems.ts";

const tag = "Stores";
const params = z.object({ name: storeNameSchema });
const path = "/v1/stores/{name}";
const permission = "stores:write";

/** The routes of stores. */
export const storeRoutes = [
  operation(
    {
      method: "put",
      path,
      id: "putStore",
      summary: "Make a store",
      description:
        "A place outside where values live. Its credentials are secrets, all in one scope, whose `hosts` have every host that the credential goes to: the store's, and that of AWS's STS (with `role_arn`) or of Entra. Without credentials Keyhole asks for access as an OpenID provider: `identity` in the reply is what the role, the federated credential or the role of Vault's `jwt` method has to trust. A store is made, replaced and deleted by whoever has a grant that covers all scopes in its `allow` and the secrets of its credentials, and `secrets:use` (without a limit of `services`) or `secrets:resolve` for these; without stored credentials and without scopes in `allow`, a grant that covers all scopes.",
      tag,
      permission,
      action: "store.put",
      on: { target: "name" },
      params,
      body: jsonBody(putStoreSchema),
      problems: [...CREDENTIAL_PROBLEMS, "write-conflict", "quota-exceeded", "integrity-failed"],
      replies: { 200: json(storeSchema, "It replaces the one that was there."), 201: json(storeSchema, "The store is new.") },
    },
    async ({ c, needs, caller, params: { name }, body }) => {
      const { created, ...found } = await putStore({ ...needs, address: new URL(c.req.url).origin }, caller, name, body);
      return c.json(storeBody(needs, found), created ? 201 : 200);
    },
  ),
  operation(
    {
      method: "get",
      path,
      id: "getStore",
      summary: "Get a store",
      tag,
      permission,
      action: "store.read",
      on: { target: "name" },
      params,
      problems: ["store-not-found", "integrity-failed"],
      replies: { 200: json(storeSchema, "The store.") },
    },
    async ({ c, needs, caller, params: { name } }) => c.json(storeBody(needs, await getStore(needs, caller, name))),
  ),
  operation(
    {
      method: "delete",
      path,
      id: "deleteStore",
      summary: "Delete a store",
      tag,
      permission,
      action: "store.delete",
      on: { target: "name" },
      params,
      problems: ["store-not-found", "store-in-use", "write-conflict", "integrity-failed"],
      replies: { 204: { description: "It is gone." } },
    },
    async ({ c, needs, caller, params: { name } }) => {
      await deleteStore(needs, caller, name);
      return c.body(null, 204);
    },
  ),
  operation(
    {
      method: "post",
      path: `${path}/check`,
      id: "checkStore",
      summary: "Try a store",
      description:
        "Reads a key and shows nothing of it, or lists keys where none is named, and says what fails. For whoever could have made the store. That its credentials are used is on record before they leave.",
      tag,
      permission,
      action: "store.check",
      on: { target: "name" },
      params,
      body: optionalJsonBody(checkStoreSchema),
      problems: ["store-not-found", "secret-not-found", "secret-expired", "name-locked", "host-not-allowed", "value-not-injectable", "integrity-failed"],
      replies: { 200: json(checkStoreReplySchema, "What works, or what fails first.") },
    },
    async ({ c, needs, caller, params: { name }, body }) => c.json(await checkStore({ ...needs, address: new URL(c.req.url).origin }, caller, name, body?.key)),
  ),
  operation(
    {
      method: "get",
      path: "/v1/stores",
      id: "listStores",
      summary: "List stores",
      tag,
      permission,
      action: "store.read",
      query: listStoresSchema,
      problems: ["integrity-failed"],
      replies: { 200: json(listStoresReplySchema, "One page, by name.") },
    },
    async ({ c, needs, caller, query: { limit, cursor } }) => {
      const { rows, next } = await listStores(needs, caller, limit, fromCursor(z.string(), cursor));
      return c.json({ stores: rows.map((found) => storeBody(needs, found)), next_cursor: nextCursor(next) });
    },
  ),
];

function storeBody({ provider, insecureOrigins }: Pick<RequestNeeds, "provider" | "insecureOrigins">, { row, definition }: FoundStore): StoreBody {
  const { org, name, revision, created_by, updated_by } = row;
  const identity =
    provider && needsIdentity(definition) && hasAddress(definition, { insecureOrigins })
      ? identityOf({ provider, insecureOrigins }, org, name, definition)
      : null;
  const { kind, ...said } = definition;
  return { name, kind, revision, ...said, identity, created_at: formatTime(row.created_at), created_by, updated_at: formatTime(row.updated_at), updated_by };
}
