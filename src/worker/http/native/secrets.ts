import * as z from "zod";
import { scopeSchema } from "../../../contract/scope.ts";
import {
  createSecretSchema,
  listSecretsReplySchema,
  listSecretsSchema,
  patchSecretSchema,
  purgeQuerySchema,
  secretSchema,
  setSecretReplySchema,
  setSecretSchema,
  undeleteQuerySchema,
} from "../../../contract/secret.ts";
import { secretNameSchema } from "../../../contract/secret-name.ts";
import { createThere, patchThere, setThere } from "../../scope-stores/set-there.ts";
import { undeleteThere } from "../../scope-stores/undelete-there.ts";
import { whereItIs } from "../../scope-stores/where-it-is.ts";
import { getSecret } from "../../secrets/get-secret.ts";
import { listSecrets } from "../../secrets/list-secrets.ts";
import { patchSecret } from "../../secrets/patch-secret.ts";
import { createSecret, setSecret } from "../../secrets/set-secret.ts";
import { undeleteSecret } from "../../secrets/undelete-secret.ts";
import { requireSource } from "../../sources/require-source.ts";
import { sourcesOf } from "../../sources/show-sources.ts";
import { json } from "../docs/responses.ts";
import { placeNeedsOf } from "../needs-of.ts";
import { operation } from "../operation.ts";
import { bytes, jsonBody, jsonBodyOr, text } from "../parse/body.ts";
import { fromCursor, nextCursor } from "../parse/page-cursor.ts";
import { DELETED_UNTIL_REPLY_HEADER, ETAG_HEADER, LOCATION_HEADER, secretIdSchema, WRITE_CONDITIONS } from "../parse/parameters.ts";
import { changeOf, readSetBody } from "../parse/parse-change.ts";
import { precondition } from "../parse/parse-precondition.ts";
import { parseValue } from "../parse/parse-value.ts";
import { deletedReply } from "./deleted-reply.ts";
import { secretBody } from "./secret-body.ts";
import { secretReply, writtenReply } from "./secret-reply.ts";

const tag = "Secrets";
const byName = z.object({ scope: scopeSchema, name: secretNameSchema });
const byId = z.object({ id: secretIdSchema });
const position = z.object({ name: z.string(), scope: z.string() });
const pathByName = "/v1/scopes/{scope}/secrets/{name}";
const pathById = "/v1/secrets/{id}";

/** What a store says of a scope that is in one. */
const THERE = ["store-refused", "store-unavailable"] as const;
/** What PUT and GET by name have in common, and PATCH and GET by id. */
const SHOWN = { 200: { ...json(secretSchema, "The secret."), headers: ETAG_HEADER } };
const DELETED = { 204: { description: "It is deleted, or gone for good.", headers: DELETED_UNTIL_REPLY_HEADER } };
const HOW_IT_IS_DELETED =
  "With all its versions. Nothing sees it any more, and it can come back for `RECOVERY_DAYS`: `POST /v1/secrets/{id}/undelete`. With `purge=true` it goes at once and for good, also when it was deleted before.";

/** The routes of secrets: what people write, and what they may read of it. */
export const secretRoutes = [
  operation(
    {
      method: "put",
      path: pathByName,
      id: "setSecret",
      summary: "Set a secret",
      description:
        "Creates the secret or adds a version to it. One scope holds one secret of an environment name: `db-password` beside `DB_PASSWORD` is refused. The same value again adds no version. Fields that are left out stay as they are. Where a secret of this name was deleted it is a new one, with the id of the old one and the next version number, and without its metadata. A raw body is the value itself: `text/plain` (UTF-8) or `application/octet-stream`.",
      tag,
      permission: "secrets:write",
      action: "secret.update",
      headers: WRITE_CONDITIONS,
      params: byName,
      query: undeleteQuerySchema,
      body: jsonBodyOr(setSecretSchema, { "text/plain": text("sk-example-not-a-key"), "application/octet-stream": bytes }),
      problems: ["version-conflict", "write-conflict", "value-too-large", "name-locked", "env-name-conflict", "name-reserved", "quota-exceeded", ...THERE],
      replies: {
        200: { ...json(setSecretReplySchema, "The secret was there."), headers: ETAG_HEADER },
        201: { ...json(setSecretReplySchema, "The secret is new."), headers: ETAG_HEADER },
      },
    },
    async ({ c, needs, caller, params, query, body }) => {
      const { value: given, source, ...fields } = await readSetBody(c.req, body);
      const value = given ?? (await requireSource(needs, caller, params, source));
      const undelete = query.undelete === "true";
      const change = { ...changeOf(fields, needs.now), value };
      const write = await whereItIs(
        () => setSecret(needs, caller, params, change, precondition(c.req), undelete),
        () => setThere(placeNeedsOf(c), caller, params, change, precondition(c.req), undelete),
      );
      return writtenReply(c, write);
    },
  ),
  operation(
    {
      method: "get",
      path: pathByName,
      id: "getSecret",
      summary: "Get a secret's metadata",
      description: "The value is not part of it; only a resolve gives values.",
      tag,
      permission: "secrets:read",
      action: "secret.read",
      params: byName,
      problems: ["secret-not-found"],
      replies: SHOWN,
    },
    async ({ c, needs, caller, params }) => secretReply(c, await getSecret(needs, caller, params)),
  ),
  operation(
    {
      method: "delete",
      path: pathByName,
      id: "deleteSecret",
      summary: "Delete a secret",
      description: HOW_IT_IS_DELETED,
      tag,
      permission: "secrets:write",
      action: "secret.delete",
      headers: WRITE_CONDITIONS,
      params: byName,
      query: purgeQuerySchema,
      problems: ["secret-not-found", "version-conflict", "write-conflict", "scope-in-store", ...THERE],
      replies: DELETED,
    },
    async ({ c, needs, caller, params, query }) => deletedReply(c, needs, caller, params, query),
  ),
  operation(
    {
      method: "post",
      path: "/v1/secrets",
      id: "createSecret",
      summary: "Create a secret",
      description:
        "Refused when the scope holds a secret of this name, or of its environment name; one that was deleted has its id and the next version number.",
      tag,
      permission: "secrets:write",
      action: "secret.create",
      query: undeleteQuerySchema,
      body: jsonBody(createSecretSchema),
      problems: ["secret-exists", "write-conflict", "value-too-large", "name-locked", "env-name-conflict", "name-reserved", "quota-exceeded", ...THERE],
      replies: { 201: { ...json(secretSchema, "The secret is new."), headers: { ...ETAG_HEADER, ...LOCATION_HEADER } } },
    },
    async ({ c, needs, caller, query, body: { scope, name, value, encoding = "utf8", source, ...fields } }) => {
      const given = value === undefined ? await requireSource(needs, caller, { scope, name }, source) : parseValue(value, encoding);
      const change = { ...changeOf(fields, needs.now), value: given };
      const undelete = query.undelete === "true";
      const { row, value: kept } = await whereItIs(
        () => createSecret(needs, caller, { scope, name }, change, undelete),
        () => createThere(placeNeedsOf(c), caller, { scope, name }, change, undelete),
      );
      c.header("Location", `/v1/secrets/${row.id}`);
      return secretReply(c, row, 201, kept);
    },
  ),
  operation(
    {
      method: "get",
      path: "/v1/secrets",
      id: "listSecrets",
      summary: "List secrets",
      description: "By name, then scope; only what the token's grant covers. A page goes on where the one before ended, whatever was written between them.",
      tag,
      permission: "secrets:read",
      action: "secret.read",
      query: listSecretsSchema,
      replies: { 200: json(listSecretsReplySchema, "One page.") },
    },
    async ({ c, needs, caller, query: { cursor, ...query } }) => {
      const { rows, next } = await listSecrets(needs, caller, query, fromCursor(position, cursor));
      const sources = await sourcesOf(needs, caller, rows);
      return c.json({ secrets: rows.map((row) => secretBody(row, needs.now, sources.get(row.id) ?? null)), next_cursor: nextCursor(next) });
    },
  ),
  operation(
    {
      method: "get",
      path: pathById,
      id: "getSecretById",
      summary: "Get a secret's metadata by its id",
      tag,
      permission: "secrets:read",
      action: "secret.read",
      on: { secret: "id" },
      params: byId,
      problems: ["secret-not-found"],
      replies: SHOWN,
    },
    async ({ c, needs, caller, params }) => secretReply(c, await getSecret(needs, caller, params)),
  ),
  operation(
    {
      method: "patch",
      path: pathById,
      id: "patchSecret",
      summary: "Change a secret by its id",
      description: "Fields that are left out stay as they are; `null` clears one.",
      tag,
      permission: "secrets:write",
      action: "secret.update",
      on: { secret: "id" },
      headers: WRITE_CONDITIONS,
      params: byId,
      body: jsonBody(patchSecretSchema),
      problems: [
        "secret-not-found",
        "version-conflict",
        "write-conflict",
        "value-too-large",
        "name-locked",
        "env-name-conflict",
        "name-reserved",
        "quota-exceeded",
        ...THERE,
      ],
      replies: { 200: { ...json(setSecretReplySchema, "The secret."), headers: ETAG_HEADER } },
    },
    async ({ c, needs, caller, params: { id }, body: { value, encoding = "utf8", ...fields } }) => {
      const given = value === undefined ? undefined : parseValue(value, encoding);
      const change = { ...changeOf(fields, needs.now), value: given };
      const write = await whereItIs(
        () => patchSecret(needs, caller, { id }, change, precondition(c.req)),
        () => patchThere(placeNeedsOf(c), caller, { id }, change, precondition(c.req)),
      );
      return writtenReply(c, write);
    },
  ),
  operation(
    {
      method: "delete",
      path: pathById,
      id: "deleteSecretById",
      summary: "Delete a secret by its id",
      description: HOW_IT_IS_DELETED,
      tag,
      permission: "secrets:write",
      action: "secret.delete",
      on: { secret: "id" },
      headers: WRITE_CONDITIONS,
      params: byId,
      query: purgeQuerySchema,
      problems: ["secret-not-found", "version-conflict", "write-conflict", "scope-in-store", ...THERE],
      replies: DELETED,
    },
    async ({ c, needs, caller, params, query }) => deletedReply(c, needs, caller, params, query),
  ),
  operation(
    {
      method: "post",
      path: `${pathById}/undelete`,
      id: "undeleteSecret",
      summary: "Bring a deleted secret back",
      description:
        "With all its versions and its metadata, until its `deleted_until`; `GET /v1/secrets?deleted=true` lists what can come back. Refused where its name could not be set now, but never for how much the organization has. One that is there stays as it is.",
      tag,
      permission: "secrets:write",
      action: "secret.undelete",
      on: { secret: "id" },
      headers: WRITE_CONDITIONS,
      params: byId,
      problems: ["secret-not-found", "version-conflict", "write-conflict", "name-locked", "env-name-conflict", ...THERE],
      replies: { 200: { ...json(setSecretReplySchema, "The secret."), headers: ETAG_HEADER } },
    },
    async ({ c, needs, caller, params: { id } }) => {
      const write = await whereItIs(
        () => undeleteSecret(needs, caller, { id }, precondition(c.req)),
        () => undeleteThere(placeNeedsOf(c), caller, { id }, precondition(c.req)),
      );
      return writtenReply(c, write);
    },
  ),
];
