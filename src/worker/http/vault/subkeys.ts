import { vaultDeletedOrAbsentSchema, vaultSubkeysQuerySchema, vaultSubkeysReplySchema } from "../../../contract/vault.ts";
import { readObjectKeys } from "../../objects/read-object-keys.ts";
import { getKeptSecret } from "../../secrets/get-secret.ts";
import { json } from "../docs/responses.ts";
import { customMetadataOf } from "./custom-metadata.ts";
import { ownerOf } from "./owner-of.ts";
import { DELETED_OR_ABSENT, vaultDeleted, vaultReply } from "./vault-answer.ts";
import { pathParameter, vaultOperation } from "./vault-operation.ts";
import { deletionFacts, orNull, versionMetadata } from "./vault-reply.ts";
import { scopeAt, secretAt } from "./vault-scope.ts";
import { requireCurrent, versionQuerySchema } from "./version-asked.ts";

const description =
  "Each key with `null` for its value, whatever `depth` says: what keys a value has inside is a part of the value, and is not told to who may not read it. One that has expired is shown, too.";
const query = versionQuerySchema.extend(vaultSubkeysQuerySchema.shape);
const replies = { 200: json(vaultSubkeysReplySchema, "The keys."), 404: json(vaultDeletedOrAbsentSchema, DELETED_OR_ABSENT) };

/** The routes that show keys without values. */
export const subkeysRoutes = [
  vaultOperation(
    {
      method: "get",
      path: "/v1/secret/subkeys/{path}",
      id: "vaultReadObjectKeys",
      summary: "Show the keys of a scope",
      description,
      tag: "A scope as one object",
      permission: "secrets:read",
      action: "secret.read",
      params: pathParameter("A scope.", "acme/payments"),
      query,
      problems: ["scope-not-found", "version-not-found", "too-many-secrets"],
      replies,
    },
    async ({ c, needs, caller, path, query: { version } }) => {
      const { keys, state } = await readObjectKeys(needs, caller, scopeAt(path));
      requireCurrent(caller, "secrets:read", version, state.revision);
      const deleted = keys.length === 0 ? deletionFacts(state) : undefined;
      if (deleted) return vaultDeleted(c, "subkeys", deleted);
      const facts = { version: state.revision, createdAt: state.revisedAt ?? 0, customMetadata: orNull(state.customMetadata) };
      const warnings = caller.secretNames === null ? [] : ["The token's grant covers some names only: what else there is is not here."];
      return vaultReply(c, { subkeys: withoutValues(keys), metadata: versionMetadata(facts) }, warnings);
    },
  ),
  vaultOperation(
    {
      method: "get",
      path: "/v1/kv/subkeys/{path}",
      id: "vaultReadSecretKeys",
      summary: "Show the keys of a secret",
      description: "`value` and `key`, each with `null`: that it is there.",
      tag: "One secret",
      permission: "secrets:read",
      action: "secret.read",
      params: pathParameter("A scope and a name, or a name: then the secret is one of the token's own scopes.", "acme/payments/OPENAI_API_KEY"),
      query,
      problems: ["secret-not-found", "version-not-found"],
      replies,
    },
    async ({ c, needs, caller, path, query: { version } }) => {
      const row = await getKeptSecret(needs, caller, await ownerOf(needs, caller, secretAt(path)));
      requireCurrent(caller, "secrets:read", version, row.version);
      const facts = { version: row.version, createdAt: row.rotated_at, customMetadata: customMetadataOf(row) };
      if (row.deleted_at !== null) return vaultDeleted(c, "subkeys", { ...facts, deletedAt: row.deleted_at });
      return vaultReply(c, { subkeys: withoutValues(["value", "key"]), metadata: versionMetadata(facts) });
    },
  ),
];

function withoutValues(keys: readonly string[]): Record<string, null> {
  return Object.fromEntries(keys.map((key) => [key, null]));
}
