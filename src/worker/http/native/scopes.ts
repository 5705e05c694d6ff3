import * as z from "zod";
import { invalid } from "../../../contract/problem.ts";
import { type Scope, scopeSchema } from "../../../contract/scope.ts";
import { scopeSyncSchema, syncScopeSchema } from "../../../contract/scope-sync.ts";
import {
  type DeletedScopeBody,
  deletedScopeSchema,
  deleteScopeSchema,
  listScopesSchema,
  type PutScope,
  putScopeSchema,
  type ScopeBody,
  scopeBodySchema,
  scopeListSchema,
} from "../../../contract/scope-tree.ts";
import { formatTime } from "../../../contract/time.ts";
import type { Caller } from "../../access/caller.ts";
import { bindScope, unbindScope } from "../../scope-stores/bind-scope.ts";
import { findBound } from "../../scope-stores/find-place.ts";
import { syncScope } from "../../scope-stores/sync-scope.ts";
import { type DeletedSecrets, deleteScope, deleteScopeSecrets } from "../../scopes/delete-scope.ts";
import { listScopes } from "../../scopes/list-scopes.ts";
import { putScope, type ScopeRow } from "../../scopes/put-scope.ts";
import { json } from "../docs/responses.ts";
import { placeNeedsOf, type RequestNeeds } from "../needs-of.ts";
import { operation } from "../operation.ts";
import { jsonBody, optionalJsonBody } from "../parse/body.ts";
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
      summary: "Put a scope under another, or into a store",
      description:
        "Under a `parent`: a resolve that is given the scope then searches the parent too. A parent is of the same kind or a wider one; a chain has at most 8 links. Into a `store`, with a `prefix`: values that are written in the scope are kept there from then on, under the prefix and the secret's name, and read from there; what it has by then stays where it is until it is written again. The store has `write`, its `allow` lets the scope have every key that begins with the prefix, and no other scope has keys of the store that begin alike. With the store `null` values are kept here again, and what is in the store is read from there as before.",
      tag,
      permission: "secrets:write",
      action: "scope.put",
      on: { target: "scope" },
      params,
      body: jsonBody(putScopeSchema),
      problems: ["scope-cycle", "scope-not-found", "store-in-use", "store-refused", "source-cycle", "write-conflict", "quota-exceeded", "integrity-failed"],
      replies: { 200: json(scopeBodySchema, "The scope.") },
    },
    async ({ c, needs, caller, params: { scope }, body }) => c.json(scopeBody(await placeScope(needs, caller, scope, body))),
  ),
  operation(
    {
      method: "post",
      path: `${path}/sync`,
      id: "syncScope",
      summary: "Bring in what a scope's store has",
      description:
        "Lists the store below the scope's prefix, and makes a secret of each name that is not here, up to 200 in a call; no value is read. Says which keys it leaves out and why, and which secrets have no key there any more. It never deletes anything.",
      tag,
      permission: "secrets:write",
      action: "secret.import",
      on: { target: "scope" },
      params,
      body: optionalJsonBody(syncScopeSchema),
      problems: ["scope-not-found", "store-unavailable", "store-refused", "too-many-secrets", "write-conflict", "quota-exceeded", "integrity-failed"],
      replies: { 200: json(scopeSyncSchema, "What became of its keys, or would.") },
    },
    async ({ c, caller, params: { scope }, body }) => c.json(await syncScope(placeNeedsOf(c), caller, scope, body?.dry_run ?? false)),
  ),
  operation(
    {
      method: "get",
      path: "/v1/scopes",
      id: "listScopes",
      summary: "List scopes",
      description: "Those declared, in use or in a store, with their parent, store and number of secrets.",
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
      problems: ["scope-not-found", "scope-in-store", "write-conflict"],
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

/** One of what may be said of a scope. */
async function placeScope(needs: RequestNeeds, caller: Caller, scope: Scope, { parent, store, prefix = "" }: PutScope): Promise<ShownScope> {
  if (parent !== undefined) {
    const placed = await putScope(needs, caller, scope, parent);
    const bound = await findBound(needs, caller, scope);
    return { ...placed, ...(bound && { store: bound.store, prefix: bound.prefix }) };
  }
  return typeof store === "string" ? bindScope(needs, caller, scope, store, prefix) : unbindScope(needs, caller, scope);
}

type ShownScope = Omit<ScopeRow, "seal"> & { readonly store?: string; readonly prefix?: string };

function scopeBody({
  scope,
  parent,
  secrets,
  store = null,
  prefix = null,
}: Omit<ShownScope, "store" | "prefix"> & { store?: string | null; prefix?: string | null }): ScopeBody {
  return { scope: scope as Scope, parent, secrets, store, prefix };
}
