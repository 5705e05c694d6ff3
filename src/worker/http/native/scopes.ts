import * as z from "zod";
import { invalid } from "../../../contract/problem.ts";
import { type Scope, scopeSchema } from "../../../contract/scope.ts";
import {
  type DeletedScopeBody,
  deletedScopeSchema,
  deleteScopeSchema,
  listScopesSchema,
  putScopeSchema,
  type ScopeBody,
  scopeBodySchema,
  scopeListSchema,
} from "../../../contract/scope-tree.ts";
import { formatTime } from "../../../contract/time.ts";
import { type DeletedSecrets, deleteScope, deleteScopeSecrets } from "../../scopes/delete-scope.ts";
import { listScopes } from "../../scopes/list-scopes.ts";
import { putScope, type ScopeRow } from "../../scopes/put-scope.ts";
import { json } from "../docs/responses.ts";
import { operation } from "../operation.ts";
import { jsonBody } from "../parse/body.ts";
import { fromCursor, nextCursor } from "../parse/page-cursor.ts";

const tag = "Scopes";
const params = z.object({ scope: scopeSchema });
const path = "/v1/scopes/{scope}";

/** The routes of the scope tree. */
export const scopeRoutes = [
  operation(
    {
      method: "put",
      path,
      id: "putScope",
      summary: "Put a scope under another",
      description: "A resolve that is given the scope then searches the parent too. A parent is of the same kind or a wider one; a chain has at most 8 links.",
      tag,
      permission: "secrets:write",
      action: "scope.put",
      on: { target: "scope" },
      params,
      body: jsonBody(putScopeSchema),
      problems: ["scope-cycle", "quota-exceeded"],
      replies: { 200: json(scopeBodySchema, "The scope.") },
    },
    async ({ c, needs, caller, params: { scope }, body: { parent } }) => c.json(scopeBody(await putScope(needs, caller, scope, parent))),
  ),
  operation(
    {
      method: "get",
      path: "/v1/scopes",
      id: "listScopes",
      summary: "List scopes",
      description: "Those declared or in use, with their parent and number of secrets.",
      tag,
      permission: "secrets:read",
      action: "scope.read",
      query: listScopesSchema,
      replies: { 200: json(scopeListSchema, "One page.") },
    },
    async ({ c, needs, caller, query: { limit, cursor } }) => {
      const { rows, next } = await listScopes(needs, caller, limit, fromCursor(z.string(), cursor));
      return c.json({ scopes: rows.map(scopeBody), next_cursor: nextCursor(next) });
    },
  ),
  operation(
    {
      method: "delete",
      path,
      id: "deleteScope",
      summary: "Remove a scope's parent, or delete its secrets",
      description:
        "Without `secrets=true` only the link goes. With it, up to 200 of the scope's secrets are deleted, all of them or, where one is not what was written, none; repeat the call until none remain. They can come back one by one for `RECOVERY_DAYS`. With `purge=true` they go for good, and with them those that were deleted before.",
      tag,
      permission: "secrets:write",
      action: "scope.delete",
      on: { target: "scope" },
      params,
      query: deleteScopeSchema,
      problems: ["scope-not-found", "write-conflict"],
      replies: { 200: json(deletedScopeSchema, "Secrets were deleted."), 204: { description: "The link is gone." } },
    },
    async ({ c, needs, caller, params: { scope }, query: { secrets, purge } }) => {
      if (secrets === "true") return c.json(deletedScopeBody(await deleteScopeSecrets(needs, caller, scope, purge === "true")));
      if (purge === "true") throw invalid("query:purge", "that is of the scope's secrets: it needs secrets=true");
      await deleteScope(needs, caller, scope);
      return c.body(null, 204);
    },
  ),
];

function deletedScopeBody({ deleted, remaining, until }: DeletedSecrets): DeletedScopeBody {
  return { deleted, remaining, deleted_until: formatTime(until) };
}

function scopeBody({ scope, parent, secrets }: Omit<ScopeRow, "seal">): ScopeBody {
  return { scope: scope as Scope, parent, secrets };
}
