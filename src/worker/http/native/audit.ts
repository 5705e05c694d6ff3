import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
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
import { json, needs, problems } from "../docs/responses.ts";
import type { HonoEnv } from "../hono-env.ts";
import { auditedAs } from "../middleware/audited-as.ts";
import { fromCursor, toCursor } from "../parse/page-cursor.ts";

const tags = ["Audit"];
const position = z.int().min(0);

const readRoute = createRoute({
  method: "get",
  path: "/v1/audit",
  operationId: "readAudit",
  summary: "Read the audit log",
  description:
    "Newest first, denied attempts included. A page may be short: go on while there is a `next_cursor`. `format=ndjson` streams everything that matches, oldest first, one event a line.",
  tags,
  security: needs("audit:read"),
  middleware: auditedAs("audit.read"),
  request: { query: readAuditSchema },
  responses: {
    200: {
      description: "Events.",
      content: { "application/json": { schema: auditPageSchema }, "application/x-ndjson": { schema: z.string().meta({ example: '{"seq":1}\n' }) } },
    },
    ...problems("invalid-request"),
  },
});

const checkpointsRoute = createRoute({
  method: "get",
  path: "/v1/audit/checkpoints",
  operationId: "listCheckpoints",
  summary: "List the signed checkpoints of the audit log",
  description: "Each seals a stretch of the log and the checkpoint before it, so that any change to what is sealed is found. Keep them elsewhere too.",
  tags,
  security: needs("audit:read"),
  middleware: auditedAs("audit.read"),
  request: { query: listCheckpointsSchema },
  responses: { 200: json(checkpointPageSchema, "One page, in their order."), ...problems("invalid-request") },
});

const verifyRoute = createRoute({
  method: "get",
  path: "/v1/audit/verify",
  operationId: "verifyAudit",
  summary: "Verify the audit log against its checkpoints",
  tags,
  security: needs("audit:read"),
  middleware: auditedAs("audit.read"),
  request: { query: verifyAuditSchema },
  responses: { 200: json(verifyReplySchema, "What was found."), ...problems("invalid-request") },
});

/** The routes of the audit log. */
export function auditRoutes(): OpenAPIHono<HonoEnv> {
  const app = new OpenAPIHono<HonoEnv>();
  app.openapi(readRoute, async (c) => {
    const { format, limit, cursor, ...filters } = c.req.valid("query");
    const query = queryOf(filters);
    if (format === "ndjson") {
      const stream = await streamLog({ db: c.env.DB }, c.get("caller"), query);
      // The route's types know texts and JSON, and no streams.
      return new Response(stream, { headers: { "Content-Type": "application/x-ndjson" } }) as never;
    }
    const beyond = fromCursor(position, cursor) ?? null;
    const { events, next } = await readLog({ db: c.env.DB }, c.get("caller"), { ...query, beyond, order: "newest first" }, limit);
    return c.json({ events: [...events], next_cursor: next === null ? null : toCursor(next) }, 200);
  });
  app.openapi(checkpointsRoute, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const { rows, head, next } = await listCheckpoints({ db: c.env.DB }, c.get("caller"), fromCursor(position, cursor) ?? 0, limit);
    return c.json({ checkpoints: rows.map(checkpointBody), head, next_cursor: next === null ? null : toCursor(next) }, 200);
  });
  app.openapi(verifyRoute, async (c) => {
    const { signingKeys } = c.get("config");
    const { next, ...reply } = await verifyLog({ db: c.env.DB, signingKeys }, c.get("caller"), fromCursor(position, c.req.valid("query").cursor) ?? 0);
    return c.json({ ...reply, next_cursor: next === null ? null : toCursor(next) }, 200);
  });
  return app;
}

function queryOf({ action, actor, secret_id, outcome, since, until }: Omit<ReadAuditQuery, "format" | "limit" | "cursor">) {
  return {
    action: action ?? null,
    actor: actor ?? null,
    secret_id: secret_id ?? null,
    outcome: outcome ?? null,
    since: since === undefined ? null : Date.parse(since),
    until: until === undefined ? null : Date.parse(until),
  };
}
