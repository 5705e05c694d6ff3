import { whyReserved } from "../../../contract/reserved-name.ts";
import type { SecretName } from "../../../contract/secret-name.ts";
import {
  vaultDeletedOrAbsentSchema,
  vaultListReplySchema,
  vaultMetadataOrListSchema,
  vaultMetadataQuerySchema,
  vaultMetadataSchema,
  vaultReadReplySchema,
  vaultVersionsSchema,
  vaultWriteReplySchema,
  vaultWriteSchema,
} from "../../../contract/vault.ts";
import { deleteSecret, purgeSecret } from "../../secrets/delete-secret.ts";
import { destroyValues } from "../../secrets/destroy-values.ts";
import { findDeleted } from "../../secrets/find-deleted.ts";
import { getKeptSecret } from "../../secrets/get-secret.ts";
import { versionsOf } from "../../secrets/list-versions.ts";
import { patchSecret } from "../../secrets/patch-secret.ts";
import { setSecret } from "../../secrets/set-secret.ts";
import { undeleteSecret } from "../../secrets/undelete-secret.ts";
import { json } from "../docs/responses.ts";
import { limitResolves } from "../middleware/limit-rate.ts";
import type { RequestNeeds } from "../needs-of.ts";
import { changeOf } from "../parse/parse-change.ts";
import { answerNames, requireList } from "./answer-list.ts";
import { customMetadataOf, labelsOf } from "./custom-metadata.ts";
import { ownerOf } from "./owner-of.ts";
import { readValues } from "./read-values.ts";
import { isNotFound, unlessGone } from "./unless-gone.ts";
import { DELETED_OR_ABSENT, vaultDeleted, vaultDone, vaultReply } from "./vault-answer.ts";
import { vaultMetadata } from "./vault-metadata.ts";
import { pathParameter, vaultOperation } from "./vault-operation.ts";
import { namedSegments } from "./vault-path.ts";
import { asCasMismatch } from "./vault-problem.ts";
import { versionMetadata } from "./vault-reply.ts";
import { secretAt, targetAt } from "./vault-scope.ts";
import { vaultValue } from "./vault-value.ts";
import { isAsked, versionQuerySchema } from "./version-asked.ts";

const tag = "One secret";
const params = pathParameter("A scope and a name, or a name: then the secret is one of the token's own scopes.", "acme/payments/OPENAI_API_KEY");

/** How many versions metadata shows at the most: the newest. */
const MOST_VERSIONS = 200;

/** The routes of one secret, whose versions are its own. */
export const kvRoutes = [
  vaultOperation(
    {
      method: "get",
      path: "/v1/kv/data/{path}",
      id: "vaultReadSecret",
      summary: "Read a secret",
      description:
        "With a scope exactly the one there; a name alone is resolved over the token's own scopes. `value` and `key` are both the value. Where the one with a scope is deleted and can come back, 404 says when that was.",
      tag,
      permission: "secrets:resolve",
      action: "secret.resolve",
      head: false,
      params,
      query: versionQuerySchema,
      middleware: [limitResolves],
      problems: ["secret-not-found", "secret-expired", "name-locked", "version-not-found"],
      replies: { 200: json(vaultReadReplySchema, "The value."), 404: json(vaultDeletedOrAbsentSchema, DELETED_OR_ABSENT) },
    },
    async ({ c, needs, caller, path, query: { version } }) => {
      const { scope, name } = secretAt(path);
      const request = { scopes: scope === null ? undefined : [scope], names: [name], allowMissing: false, inherit: scope === null, asVariables: false };
      try {
        return await readValues(c, needs, request, { of: "vault-secret" }, version);
      } catch (error) {
        if (scope === null || !isNotFound(error)) throw error;
        const deleted = await findDeleted(needs, caller, { scope, name });
        if (!deleted || !isAsked(version, deleted.version)) throw error;
        return vaultDeleted(c, "data", deleted);
      }
    },
  ),
  vaultOperation(
    {
      method: "post",
      path: "/v1/kv/data/{path}",
      id: "vaultWriteSecret",
      summary: "Write a secret",
      description:
        "`value`, or else `key`, is the value; other members are kept out, with a warning. `options.cas` is the version that metadata shows as current, also of a secret that is deleted; 0 where there is none. The same value again makes no version. What had expired has no expiry then, and a warning says so. A name alone is written only by a token whose grant has exactly one exact scope.",
      tag,
      permission: "secrets:write",
      action: "secret.update",
      writes: true,
      params,
      body: vaultWriteSchema,
      problems: ["version-conflict", "write-conflict", "value-too-large", "name-locked", "env-name-conflict", "name-reserved", "quota-exceeded"],
      replies: { 200: json(vaultWriteReplySchema, "It is written.") },
    },
    async ({ c, needs, caller, path, body: { options }, exact }) => {
      const target = targetAt(caller, path);
      const { value, warnings } = vaultValue(exact);
      const cas = options?.cas;
      const required = cas === undefined ? undefined : [{ last: cas }];
      const change = { value, endsExpiry: true, ...neverVariable(target.name, needs.reservedNames) };
      const { row, endsExpiry } = await setSecret(needs, caller, target, change, { required }).catch(asCasMismatch);
      const expired = endsExpiry ? ["It had expired, and has no expiry any more."] : [];
      return vaultReply(c, versionMetadata({ version: row.version, createdAt: row.rotated_at }), [...warnings, ...expired]);
    },
  ),
  vaultOperation(
    {
      method: "delete",
      path: "/v1/kv/data/{path}",
      id: "vaultDeleteSecret",
      summary: "Delete a secret",
      description: "With all its versions; `undelete` brings it back for `RECOVERY_DAYS`. Nothing happens where there is none.",
      tag,
      permission: "secrets:write",
      action: "secret.delete",
      writes: true,
      params,
      problems: ["write-conflict"],
      replies: { 204: { description: "It is deleted." } },
    },
    async ({ c, needs, caller, path }) => {
      await unlessGone(deleteSecret(needs, caller, targetAt(caller, path), {}));
      return vaultDone(c);
    },
  ),
  vaultOperation(
    {
      method: "post",
      path: "/v1/kv/undelete/{path}",
      id: "vaultUndeleteSecret",
      summary: "Bring a deleted secret back",
      description: "With all its versions. `versions` names the one that was current: a secret is deleted as a whole.",
      tag,
      permission: "secrets:write",
      action: "secret.undelete",
      writes: true,
      params,
      body: vaultVersionsSchema,
      problems: ["secret-not-found", "version-conflict", "write-conflict", "name-locked", "env-name-conflict"],
      replies: { 204: { description: "It is back." } },
    },
    async ({ c, needs, caller, path, body: { versions } }) => {
      await undeleteSecret(needs, caller, targetAt(caller, path), { required: versions.map((version) => ({ version })) });
      return vaultDone(c);
    },
  ),
  vaultOperation(
    {
      method: "post",
      path: "/v1/kv/destroy/{path}",
      id: "vaultDestroySecretVersions",
      summary: "Destroy older values for good",
      description: "The current one is refused. One that is destroyed, or was never there, stays so.",
      tag,
      permission: "secrets:write",
      action: "secret.destroy",
      writes: true,
      params,
      body: vaultVersionsSchema,
      problems: ["secret-not-found", "version-not-found", "version-conflict", "write-conflict"],
      replies: { 204: { description: "They are destroyed." } },
    },
    async ({ c, needs, caller, path, body: { versions } }) => {
      await destroyValues(needs, caller, targetAt(caller, path), versions, {});
      return vaultDone(c);
    },
  ),
  vaultOperation(
    {
      method: "get",
      path: "/v1/kv/metadata",
      id: "vaultListSecretScopes",
      summary: "List the scopes that hold secrets",
      description: "Each with a `/`. `list=true` has to be there.",
      tag,
      permission: "secrets:read",
      action: "secret.read",
      query: vaultMetadataQuerySchema,
      problems: ["scope-not-found"],
      replies: { 200: json(vaultListReplySchema, "The scopes.") },
    },
    async ({ c, needs, caller, query }) => {
      requireList(query);
      return answerNames(c, needs, caller, [], query);
    },
  ),
  vaultOperation(
    {
      method: "get",
      path: "/v1/kv/metadata/{path}",
      id: "vaultReadSecretMetadata",
      summary: "Read a secret's metadata",
      description:
        "Its labels are `custom_metadata`. Of its versions the newest 200. With `list=true` the names in a scope, and with a `/` what has more below it.",
      tag,
      permission: "secrets:read",
      action: "secret.read",
      params,
      query: vaultMetadataQuerySchema,
      problems: ["secret-not-found", "scope-not-found"],
      replies: { 200: json(vaultMetadataOrListSchema, "The metadata, or the names.") },
    },
    async ({ c, needs, caller, path, query }) => {
      if (query.list) return answerNames(c, needs, caller, namedSegments(path, 2), query);
      const row = await getKeptSecret(needs, caller, await ownerOf(needs, caller, secretAt(path)));
      const { rows } = await versionsOf(needs, caller, row, MOST_VERSIONS, undefined);
      const versions = rows.map(({ version, created_at, state }) => ({
        version,
        createdAt: created_at,
        deletedAt: state === "destroyed" ? null : row.deleted_at,
        destroyed: state === "destroyed",
      }));
      const { version: current, created_at: createdAt, updated_at: updatedAt } = row;
      const oldest = versions.at(-1)?.version ?? current;
      return vaultReply(
        c,
        vaultMetadata({ current, oldest, createdAt, updatedAt, customMetadata: customMetadataOf(row), versions, maxVersions: needs.maxVersions }),
      );
    },
  ),
  vaultOperation(
    {
      method: "post",
      path: "/v1/kv/metadata/{path}",
      id: "vaultWriteSecretMetadata",
      summary: "Write a secret's labels",
      description: "All of them, as `custom_metadata`. What else Vault keeps there is the deployment's to say, and not read.",
      tag,
      permission: "secrets:write",
      action: "secret.update",
      writes: true,
      params,
      body: vaultMetadataSchema,
      numbersAsText: true,
      problems: ["secret-not-found", "write-conflict"],
      replies: { 204: { description: "They are written." } },
    },
    async ({ c, needs, caller, path, body: { custom_metadata } }) => {
      const change = custom_metadata === undefined ? {} : changeOf({ labels: labelsOf(custom_metadata ?? {}) }, needs.now);
      await patchSecret(needs, caller, targetAt(caller, path), change, {});
      return vaultDone(c);
    },
  ),
  vaultOperation(
    {
      method: "delete",
      path: "/v1/kv/metadata/{path}",
      id: "vaultPurgeSecret",
      summary: "Delete a secret for good",
      description: "With all its versions and its metadata. Nothing happens where there is none.",
      tag,
      permission: "secrets:write",
      action: "secret.purge",
      writes: true,
      params,
      problems: ["write-conflict"],
      replies: { 204: { description: "It is gone." } },
    },
    async ({ c, needs, caller, path }) => {
      await unlessGone(purgeSecret(needs, caller, targetAt(caller, path), {}));
      return vaultDone(c);
    },
  ),
];

/** A reserved name is kept, and never becomes a variable: that is what people of Vault keep there. */
function neverVariable(name: SecretName, reservedNames: RequestNeeds["reservedNames"]) {
  return whyReserved(name, reservedNames) === undefined ? {} : { metadata: { variable: 0 } };
}
