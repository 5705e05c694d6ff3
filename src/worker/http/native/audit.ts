import * as z from "zod";
import {
  auditPageSchema,
  checkpointPageSchema,
  listCheckpointsSchema,
  type ReadAuditQuery,
  readAuditSchema,
  verifyAuditSchema,
  verifyReplySchema,
} from "../../../contract/audit.ts";
import { acceptedRestorationsSchema, acceptRestorationsSchema, findRestorationsSchema, restorationsReplySchema } from "../../../contract/audit-generation.ts";
import { anchorReplySchema } from "../../../contract/audit-registry.ts";
import { cursorSchema } from "../../../contract/secret.ts";
import { acceptRestorations } from "../../log/accept-restorations.ts";
import { findRestorations, restorationsBody } from "../../log/find-restorations.ts";
import { listCheckpoints } from "../../log/list-checkpoints.ts";
import { readAnchor } from "../../log/read-anchor.ts";
import { readLog } from "../../log/read-log.ts";
import { streamLog } from "../../log/stream-log.ts";
import { verifyLog } from "../../log/verify-log.ts";
import { json } from "../docs/responses.ts";
import { operation } from "../operation.ts";
import { jsonBody, text } from "../parse/body.ts";
import { fromCursor, nextCursor } from "../parse/page-cursor.ts";

const tag = "Audit";
const permission = "audit:read";
const action = "audit.read";
const position = z.int().min(0);
const organization = z.string();
const anchorQuerySchema = z.strictObject({ cursor: cursorSchema });

/** The routes of the audit log. */
export const auditRoutes = [
  operation(
    {
      method: "get",
      path: "/v1/audit",
      id: "readAudit",
      summary: "Read the audit log",
      description:
        "Newest first, denied attempts included; what is archived, too. A page may be short: go on while there is a `next_cursor`. `format=ndjson` streams everything that matches, oldest first, one event a line. A very long one may break off, which is an error of the connection: go on with `after`. Such an export is itself an event, `audit.export`, and ends before it.",
      tag,
      permission,
      action,
      query: readAuditSchema,
      replies: {
        200: { description: "Events.", content: { "application/json": { schema: auditPageSchema }, "application/x-ndjson": { schema: text('{"seq":1}\n') } } },
      },
    },
    async ({ c, needs, caller, query: { format, limit, cursor, after = null, ...filters } }) => {
      const wanted = eventsAsked(filters);
      if (format === "ndjson") return c.body(await streamLog(needs, caller, wanted, after), 200, { "Content-Type": "application/x-ndjson" });
      const beyond = fromCursor(position, cursor) ?? null;
      const { events, next } = await readLog(needs, caller, wanted, beyond, limit);
      return c.json({ events, next_cursor: nextCursor(next) });
    },
  ),
  operation(
    {
      method: "get",
      path: "/v1/audit/checkpoints",
      id: "listCheckpoints",
      summary: "List the signed checkpoints of the audit log",
      description:
        "Each seals a stretch of the log and the checkpoint before it, so that any change to what is sealed is found. Keep them elsewhere too. A page may be short: go on while there is a `next_cursor`.",
      tag,
      permission,
      action,
      query: listCheckpointsSchema,
      replies: { 200: json(checkpointPageSchema, "One page, in their order.") },
    },
    async ({ c, needs, caller, query: { limit, cursor } }) => {
      const { rows, head, generations, next } = await listCheckpoints(needs, caller, fromCursor(position, cursor) ?? 0, limit);
      const restores = generations.length > 0 ? { generations: [...generations] } : {};
      return c.json({ checkpoints: [...rows], head, ...restores, next_cursor: nextCursor(next) });
    },
  ),
  operation(
    {
      method: "get",
      path: "/v1/audit/verify",
      id: "verifyAudit",
      summary: "Verify the audit log against its checkpoints and the registry",
      description:
        "The registry is kept outside the database and says how far the log had come: a log that was cut short or taken away does not verify. When the registry cannot be read the reply is 503.",
      tag,
      permission,
      action,
      query: verifyAuditSchema,
      replies: { 200: json(verifyReplySchema, "What was found.") },
    },
    async ({ c, needs, caller, query: { cursor } }) => {
      const { next, ...found } = await verifyLog(needs, caller, fromCursor(position, cursor) ?? 0);
      return c.json({ ...found, next_cursor: nextCursor(next) });
    },
  ),
  operation(
    {
      method: "get",
      path: "/v1/audit/anchor",
      id: "readAnchor",
      summary: "Get a signed statement of how far the audit log has come",
      description:
        "Kept elsewhere, it shows with an export of the log whether that is all there: also against somebody who can write to the database and to the registry. The operator's own organization gets all logs.",
      tag,
      permission,
      action,
      query: anchorQuerySchema,
      replies: { 200: json(anchorReplySchema, "The anchor.") },
    },
    async ({ c, needs, caller, query: { cursor } }) => {
      const { anchor, next } = await readAnchor(needs, caller, fromCursor(organization, cursor) ?? "");
      return c.json({ anchor, next_cursor: nextCursor(next) });
    },
  ),
  operation(
    {
      method: "get",
      path: "/v1/audit/restorations",
      id: "findRestorations",
      summary: "List the logs that a restore of the database has set back",
      description:
        "For the operator's own organization: the logs that are not as far as the registry says they were, up to 50, with what accepting that would mean.",
      tag,
      permission: "audit:write",
      action,
      query: findRestorationsSchema,
      replies: { 200: json(restorationsReplySchema, "The logs.") },
    },
    async ({ c, needs, caller, query: { org } }) => c.json(restorationsBody(await findRestorations(needs, caller, org))),
  ),
  operation(
    {
      method: "post",
      path: "/v1/audit/restorations",
      id: "acceptRestorations",
      summary: "Accept that a restore of the database has set logs back",
      description:
        "For the operator's own organization, with the digest of exactly the restores that were listed. Each log goes on in a new generation, which says what was lost; numbers go on after it. Nothing else makes such a log go on.",
      tag,
      permission: "audit:write",
      action: "log.restored",
      body: jsonBody(acceptRestorationsSchema),
      problems: ["version-conflict"],
      replies: { 200: json(acceptedRestorationsSchema, "The logs that go on.") },
    },
    async ({ c, needs, caller, body: { digest, org } }) => c.json({ accepted: await acceptRestorations(needs, caller, digest, org) }),
  ),
];

function eventsAsked({ action, actor, secret_id, outcome, since, until }: Omit<ReadAuditQuery, "format" | "limit" | "cursor">) {
  return {
    action: action ?? null,
    actor: actor ?? null,
    secret_id: secret_id ?? null,
    outcome: outcome ?? null,
    since: since === undefined ? null : Date.parse(since),
    until: until === undefined ? null : Date.parse(until),
  };
}
