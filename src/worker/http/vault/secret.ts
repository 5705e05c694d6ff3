import {
  vaultDeletedOrAbsentSchema,
  vaultListReplySchema,
  vaultMetadataOrListSchema,
  vaultMetadataPatchSchema,
  vaultMetadataQuerySchema,
  vaultMetadataSchema,
  vaultReadReplySchema,
  vaultVersionsSchema,
  vaultWriteReplySchema,
  vaultWriteSchema,
} from "../../../contract/vault.ts";
import { destroyObject } from "../../objects/destroy-object.ts";
import type { WrittenObject } from "../../objects/object.ts";
import { patchObject } from "../../objects/patch-object.ts";
import { purgeObject } from "../../objects/purge-object.ts";
import { patchObjectMetadata, putObjectMetadata } from "../../objects/put-object-metadata.ts";
import { objectRequest } from "../../objects/read-object.ts";
import { readObjectMetadata } from "../../objects/read-object-metadata.ts";
import { deleteObject, replaceObject } from "../../objects/replace-object.ts";
import { undeleteObject } from "../../objects/undelete-object.ts";
import { json } from "../docs/responses.ts";
import { limitResolves } from "../middleware/limit-rate.ts";
import { answerList, requireList } from "./answer-list.ts";
import { changesIn, valuesIn } from "./object-values.ts";
import { readValues } from "./read-values.ts";
import { DELETED_OR_ABSENT, vaultDone, vaultReply } from "./vault-answer.ts";
import { vaultMetadata } from "./vault-metadata.ts";
import { pathParameter, vaultOperation } from "./vault-operation.ts";
import { namedSegments } from "./vault-path.ts";
import { asCasMismatch } from "./vault-problem.ts";
import { orNull, versionMetadata } from "./vault-reply.ts";
import { scopeAt } from "./vault-scope.ts";
import { versionQuerySchema } from "./version-asked.ts";

const tag = "A scope as one object";
const params = pathParameter(
  "A scope: `myorg/myrepo` or `myapp` for a repository, `global`, `team/x`, `namespace/x`, `agent/x` or `repo/a/b`.",
  "acme/payments",
);
const writeProblems = [
  "version-conflict",
  "write-conflict",
  "value-too-large",
  "too-many-secrets",
  "name-locked",
  "env-name-conflict",
  "name-reserved",
  "quota-exceeded",
] as const;

/** The routes of a scope as one object, whose version is the scope's revision. */
export const secretObjectRoutes = [
  vaultOperation(
    {
      method: "get",
      path: "/v1/secret/data/{path}",
      id: "vaultReadObject",
      summary: "Read a scope as one object",
      description:
        "Every name of exactly that scope that the token covers. Its version is how often the scope was written, by whatever API. Where all of it is deleted, 404 says when that was.",
      tag,
      permission: "secrets:resolve",
      action: "secret.resolve",
      head: false,
      params,
      query: versionQuerySchema,
      middleware: [limitResolves],
      problems: ["secret-not-found", "name-locked", "version-not-found", "too-many-secrets", "answer-too-large"],
      replies: { 200: json(vaultReadReplySchema, "The object."), 404: json(vaultDeletedOrAbsentSchema, DELETED_OR_ABSENT) },
    },
    async ({ c, needs, caller, path, query: { version } }) =>
      readValues(c, needs, objectRequest(scopeAt(path)), { of: "vault-object", secretNames: caller.secretNames }, version),
  ),
  vaultOperation(
    {
      method: "post",
      path: "/v1/secret/data/{path}",
      id: "vaultReplaceObject",
      summary: "Replace a scope as one object",
      description:
        "In one transaction: what is not given is deleted, but for what no read shows because it has expired or a wider scope has locked it: that stays, and a warning names it. What is given and had expired has no expiry then. `options.cas` is the object's version. What is no text is kept as JSON, and given back as that. A key whose value comes from a store is given what the store has, and keeps its source; another value for it is refused. The token has to cover every name of the scope.",
      tag,
      permission: "secrets:write",
      action: "secret.update",
      writes: true,
      params,
      body: vaultWriteSchema,
      problems: [...writeProblems, "store-unavailable"],
      replies: { 200: json(vaultWriteReplySchema, "It is written.") },
    },
    async ({ c, needs, caller, path, body: { options }, exact }) =>
      written(c, await replaceObject(needs, caller, scopeAt(path), valuesIn(exact), { cas: options?.cas }).catch(asCasMismatch)),
  ),
  vaultOperation(
    {
      method: "patch",
      path: "/v1/secret/data/{path}",
      id: "vaultPatchObject",
      summary: "Change some keys of a scope",
      description: "A merge patch (RFC 7386); `null` deletes a key. It needs no right to read, and touches only what it names.",
      tag,
      permission: "secrets:write",
      action: "secret.update",
      writes: true,
      params,
      body: vaultWriteSchema,
      problems: ["secret-not-found", ...writeProblems],
      replies: { 200: json(vaultWriteReplySchema, "It is written.") },
    },
    async ({ c, needs, caller, path, body: { options }, exact }) =>
      written(c, await patchObject(needs, caller, scopeAt(path), changesIn(exact), { cas: options?.cas }).catch(asCasMismatch)),
  ),
  vaultOperation(
    {
      method: "delete",
      path: "/v1/secret/data/{path}",
      id: "vaultDeleteObject",
      summary: "Delete all of a scope",
      description: "`undelete` brings it back for `RECOVERY_DAYS`. Nothing happens where there is nothing.",
      tag,
      permission: "secrets:write",
      action: "secret.delete",
      writes: true,
      params,
      problems: ["write-conflict", "too-many-secrets"],
      replies: { 204: { description: "It is deleted." } },
    },
    async ({ c, needs, caller, path }) => {
      await deleteObject(needs, caller, scopeAt(path));
      return vaultDone(c);
    },
  ),
  vaultOperation(
    {
      method: "post",
      path: "/v1/secret/undelete/{path}",
      id: "vaultUndeleteObject",
      summary: "Bring back what was deleted",
      description: "With the versions that are named, or right after them.",
      tag,
      permission: "secrets:write",
      action: "secret.undelete",
      writes: true,
      params,
      body: vaultVersionsSchema,
      problems: ["write-conflict", "too-many-secrets", "name-locked", "env-name-conflict", "quota-exceeded"],
      replies: { 204: { description: "It is back." } },
    },
    async ({ c, needs, caller, path, body: { versions } }) => {
      await undeleteObject(needs, caller, scopeAt(path), versions);
      return vaultDone(c);
    },
  ),
  vaultOperation(
    {
      method: "post",
      path: "/v1/secret/destroy/{path}",
      id: "vaultDestroyObjectVersions",
      summary: "Destroy older values for good",
      description:
        "Those that were written with the versions that are named: all of them, or none where one is current, which 400 says. Of what is deleted no value is current.",
      tag,
      permission: "secrets:write",
      action: "secret.destroy",
      writes: true,
      params,
      body: vaultVersionsSchema,
      problems: ["version-conflict", "write-conflict", "too-many-secrets"],
      replies: { 204: { description: "They are destroyed." } },
    },
    async ({ c, needs, caller, path, body: { versions } }) => {
      await destroyObject(needs, caller, scopeAt(path), versions);
      return vaultDone(c);
    },
  ),
  vaultOperation(
    {
      method: "get",
      path: "/v1/secret/metadata",
      id: "vaultListObjects",
      summary: "List the scopes",
      description: "Repositories are shown bare, and once. `list=true` has to be there: the method LIST is refused by the platform.",
      tag,
      permission: "secrets:read",
      action: "secret.read",
      query: vaultMetadataQuerySchema,
      problems: ["scope-not-found"],
      replies: { 200: json(vaultListReplySchema, "The names, and with a `/` what has more below it.") },
    },
    async ({ c, needs, caller, query }) => {
      requireList(query);
      return answerList(c, needs, caller, [], query);
    },
  ),
  vaultOperation(
    {
      method: "get",
      path: "/v1/secret/metadata/{path}",
      id: "vaultReadObjectMetadata",
      summary: "Read what there is to know of a scope, or list what is below it",
      description: "With `list=true` the names below a path.",
      tag,
      permission: "secrets:read",
      action: "secret.read",
      params,
      query: vaultMetadataQuerySchema,
      problems: ["scope-not-found", "too-many-secrets"],
      replies: { 200: json(vaultMetadataOrListSchema, "The metadata, or the names.") },
    },
    async ({ c, needs, caller, path, query }) => {
      if (query.list) return answerList(c, needs, caller, namedSegments(path, 2), query);
      const { state, versions, oldestRevision: oldest, maxVersions } = await readObjectMetadata(needs, caller, scopeAt(path));
      const { revision: current, createdAt, updatedAt, customMetadata } = state;
      const listed = versions.map(({ revision: version, ...rest }) => ({ version, ...rest }));
      const times = { createdAt: createdAt ?? 0, updatedAt: updatedAt ?? 0 };
      return vaultReply(c, vaultMetadata({ current, oldest, ...times, customMetadata: orNull(customMetadata), versions: listed, maxVersions }));
    },
  ),
  vaultOperation(
    {
      method: "post",
      path: "/v1/secret/metadata/{path}",
      id: "vaultWriteObjectMetadata",
      summary: "Write what is said of a scope",
      description: "`custom_metadata`, all of it. What else Vault keeps there is the deployment's to say, and not read.",
      tag,
      permission: "secrets:write",
      action: "secret.update",
      writes: true,
      params,
      body: vaultMetadataSchema,
      numbersAsText: true,
      problems: ["write-conflict", "too-many-secrets"],
      replies: { 204: { description: "It is written." } },
    },
    async ({ c, needs, caller, path, body: { custom_metadata } }) => {
      if (custom_metadata === undefined) await patchObjectMetadata(needs, caller, scopeAt(path), {});
      else await putObjectMetadata(needs, caller, scopeAt(path), custom_metadata ?? {});
      return vaultDone(c);
    },
  ),
  vaultOperation(
    {
      method: "patch",
      path: "/v1/secret/metadata/{path}",
      id: "vaultPatchObjectMetadata",
      summary: "Change some of what is said of a scope",
      description: "A merge patch of `custom_metadata`; `null` takes a text away.",
      tag,
      permission: "secrets:write",
      action: "secret.update",
      writes: true,
      params,
      body: vaultMetadataPatchSchema,
      numbersAsText: true,
      problems: ["write-conflict", "too-many-secrets"],
      replies: { 204: { description: "It is written." } },
    },
    async ({ c, needs, caller, path, body: { custom_metadata } }) => {
      await patchObjectMetadata(needs, caller, scopeAt(path), custom_metadata ?? {});
      return vaultDone(c);
    },
  ),
  vaultOperation(
    {
      method: "delete",
      path: "/v1/secret/metadata/{path}",
      id: "vaultPurgeObject",
      summary: "Delete all of a scope for good",
      description: "With what is said of it and its versions. Nothing happens where there is nothing.",
      tag,
      permission: "secrets:write",
      action: "secret.purge",
      writes: true,
      params,
      problems: ["write-conflict", "too-many-secrets"],
      replies: { 204: { description: "It is gone." } },
    },
    async ({ c, needs, caller, path }) => {
      await purgeObject(needs, caller, scopeAt(path));
      return vaultDone(c);
    },
  ),
];

function written(c: Parameters<typeof vaultReply>[0], { revision, createdAt, customMetadata, warnings }: WrittenObject): Response {
  return vaultReply(c, versionMetadata({ version: revision, createdAt, customMetadata: orNull(customMetadata) }), warnings);
}
