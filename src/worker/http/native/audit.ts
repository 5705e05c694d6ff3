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
import { checkpointBody } from "../../log/event-body.ts";
import { listCheckpoints, readLog, streamLog } from "../../log/read-log.ts";
import { verifyLog } from "../../log/verify-log.ts";
import { json } from "../docs/responses.ts";
import { operation } from "../operation.ts";
import { text } from "../parse/body.ts";
import { fromCursor, nextCursor } from "../parse/page-cursor.ts";

const tag = "Audit";
const permission = "audit:read";
const action = "audit.read";
const position = z.int().min(0);

/** The routes of the audit log. */
export const auditRoutes = [
  operation(
    {
      method: "get",
      path: "/v1/audit",
      id: "readAudit",
      summary: "Read the audit log",
      description:
        "Newest first, denied attempts included. A page may be short: go on while there is a `next_cursor`. `format=ndjson` streams everything that matches, oldest first, one event a line.",
      tag,
      permission,
      action,
      query: readAuditSchema,
      replies: {
        200: { description: "Events.", content: { "application/json": { schema: auditPageSchema }, "application/x-ndjson": { schema: text('{"seq":1}\n') } } },
      },
    },
    async ({ c, needs, caller, query: { format, limit, cursor, ...filters } }) => {
      const wanted = eventsAsked(filters);
      if (format === "ndjson") return c.body(await streamLog(needs, caller, wanted), 200, { "Content-Type": "application/x-ndjson" });
      const beyond = fromCursor(position, cursor) ?? null;
      const { events, next } = await readLog(needs, caller, { ...wanted, beyond, order: "newest first" }, limit);
      return c.json({ events, next_cursor: nextCursor(next) });
    },
  ),
  operation(
    {
      method: "get",
      path: "/v1/audit/checkpoints",
      id: "listCheckpoints",
      summary: "List the signed checkpoints of the audit log",
      description: "Each seals a stretch of the log and the checkpoint before it, so that any change to what is sealed is found. Keep them elsewhere too.",
      tag,
      permission,
      action,
      query: listCheckpointsSchema,
      replies: { 200: json(checkpointPageSchema, "One page, in their order.") },
    },
    async ({ c, needs, caller, query: { limit, cursor } }) => {
      const { rows, head, next } = await listCheckpoints(needs, caller, fromCursor(position, cursor) ?? 0, limit);
      return c.json({ checkpoints: rows.map(checkpointBody), head, next_cursor: nextCursor(next) });
    },
  ),
  operation(
    {
      method: "get",
      path: "/v1/audit/verify",
      id: "verifyAudit",
      summary: "Verify the audit log against its checkpoints",
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
