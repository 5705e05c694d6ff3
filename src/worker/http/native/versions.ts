import * as z from "zod";
import { setSecretReplySchema } from "../../../contract/secret.ts";
import { formatTime } from "../../../contract/time.ts";
import { listVersionsSchema, rollbackSchema, versionListSchema, versionParamSchema } from "../../../contract/version.ts";
import { rollbackThere } from "../../scope-stores/rollback-there.ts";
import { whereItIs } from "../../scope-stores/where-it-is.ts";
import { destroyValues } from "../../secrets/destroy-values.ts";
import { getSecret } from "../../secrets/get-secret.ts";
import { listVersions } from "../../secrets/list-versions.ts";
import { rollbackSecret } from "../../secrets/rollback-secret.ts";
import { storeVersionsOf } from "../../sources/show-sources.ts";
import { json } from "../docs/responses.ts";
import { placeNeedsOf } from "../needs-of.ts";
import { operation } from "../operation.ts";
import { jsonBody } from "../parse/body.ts";
import { fromCursor, nextCursor } from "../parse/page-cursor.ts";
import { ETAG_HEADER, secretIdSchema, WRITE_CONDITIONS } from "../parse/parameters.ts";
import { precondition } from "../parse/parse-precondition.ts";
import { writtenReply } from "./secret-reply.ts";

const tag = "Versions";
const params = z.object({ id: secretIdSchema });

/** The routes of a secret's versions. */
export const versionRoutes = [
  operation(
    {
      method: "get",
      path: "/v1/secrets/{id}/versions",
      id: "listVersions",
      summary: "List a secret's versions",
      description: "Newest first. The newest ones are kept, as many as the deployment says; a destroyed one leaves only its number behind.",
      tag,
      permission: "secrets:read",
      action: "secret.read",
      on: { secret: "id" },
      params,
      query: listVersionsSchema,
      problems: ["secret-not-found"],
      replies: { 200: json(versionListSchema, "One page.") },
    },
    async ({ c, needs, caller, params: { id }, query: { limit, cursor } }) => {
      const { rows, next } = await listVersions(needs, caller, id, limit, fromCursor(z.int(), cursor));
      const secret = rows.some(({ is_source }) => is_source === 1) ? await getSecret(needs, caller, { id }) : undefined;
      const there = secret && (await storeVersionsOf(needs, caller, secret, rows));
      const shown = rows.map(({ version, created_at, created_by, state }) => {
        return { version, created_at: formatTime(created_at), created_by, state, store_version: there?.get(version) ?? null };
      });
      return c.json({ versions: shown, next_cursor: nextCursor(next) });
    },
  ),
  operation(
    {
      method: "post",
      path: "/v1/secrets/{id}/rollback",
      id: "rollbackSecret",
      summary: "Make an older value current again",
      description:
        "As a new version, without anyone reading it. A value from before values were bound to their encoding comes back only with the encoding that the secret has now; otherwise it is `version-conflict`.",
      tag,
      permission: "secrets:write",
      action: "secret.rollback",
      on: { secret: "id" },
      headers: WRITE_CONDITIONS,
      params,
      body: jsonBody(rollbackSchema),
      problems: ["secret-not-found", "version-not-found", "version-conflict", "write-conflict", "quota-exceeded", "store-refused", "store-unavailable"],
      replies: { 200: { ...json(setSecretReplySchema, "The secret."), headers: ETAG_HEADER } },
    },
    async ({ c, needs, caller, params: { id }, body: { version } }) => {
      const write = await whereItIs(
        () => rollbackSecret(needs, caller, id, version, precondition(c.req)),
        () => rollbackThere(placeNeedsOf(c), caller, id, version, precondition(c.req)),
      );
      return writtenReply(c, write);
    },
  ),
  operation(
    {
      method: "delete",
      path: "/v1/secrets/{id}/versions/{version}",
      id: "destroyVersion",
      summary: "Destroy an older value for good",
      description: "The current one is refused.",
      tag,
      permission: "secrets:write",
      action: "secret.destroy",
      on: { secret: "id" },
      headers: WRITE_CONDITIONS,
      params: params.extend({ version: versionParamSchema }),
      problems: ["secret-not-found", "version-not-found", "version-conflict", "write-conflict", "scope-in-store"],
      replies: { 204: { description: "It is destroyed." } },
    },
    async ({ c, needs, caller, params: { id, version } }) => {
      await destroyValues(needs, caller, { id }, [version], precondition(c.req));
      return c.body(null, 204);
    },
  ),
];
