import type * as z from "zod";
import { type AuditEvent, auditEventSchema, auditPageSchema, checkpointPageSchema, type VerifyReply, verifyReplySchema } from "../contract/audit.ts";
import { type AcceptedRestorations, acceptedRestorationsSchema, type RestorationsReply, restorationsReplySchema } from "../contract/audit-generation.ts";
import { type AnchorReply, anchorReplySchema } from "../contract/audit-registry.ts";
import { KeyholeError } from "./keyhole-error.ts";
import { pages } from "./pages.ts";
import { readReply } from "./read-reply.ts";
import type { CallOptions, Send } from "./send.ts";

export type AuditPage = z.output<typeof auditPageSchema>;
export type CheckpointPage = z.output<typeof checkpointPageSchema>;

/** Which events. `since` and `until` are RFC 3339 times. */
export interface AuditFilter {
  action?: string | undefined;
  actor?: string | undefined;
  secret_id?: string | undefined;
  outcome?: AuditEvent["outcome"] | undefined;
  since?: string | undefined;
  until?: string | undefined;
}

/** A page of a list. */
export interface PageQuery {
  limit?: number | undefined;
  cursor?: string | undefined;
}

/** The audit log. */
export function auditCalls(send: Send) {
  const list = async (query: AuditFilter & PageQuery = {}, options: CallOptions = {}): Promise<AuditPage> =>
    readReply(await send({ method: "GET", path: "/v1/audit", query: { ...query }, ...options }), auditPageSchema);
  return {
    /** One page of events, newest first. */
    list,
    /** All of them, newest first, page after page. */
    listAll: (filter: AuditFilter & Pick<PageQuery, "limit"> = {}, options: CallOptions = {}): AsyncGenerator<AuditEvent> =>
      pages(async (cursor) => {
        const page = await list({ limit: 200, ...filter, ...(cursor !== undefined && { cursor }) }, options);
        return { items: page.events, next: page.next_cursor };
      }),
    /** All of them, oldest first, as one reply that is read while it comes. One that broke off goes on `after` the last event's `seq`. */
    async *stream(filter: AuditFilter & { after?: number | undefined } = {}, options: CallOptions = {}): AsyncGenerator<AuditEvent> {
      const reply = await send({ method: "GET", path: "/v1/audit", query: { ...filter, format: "ndjson" }, streamed: true, ...options });
      for await (const line of lines(reply)) yield parseEvent(line);
    },
    /** The signed, chained digests over the log. */
    async checkpoints(query: PageQuery = {}, options: CallOptions = {}): Promise<CheckpointPage> {
      return readReply(await send({ method: "GET", path: "/v1/audit/checkpoints", query: { ...query }, ...options }), checkpointPageSchema);
    },
    /** Has the service recompute them, a stretch at a time where there are many: then `next_cursor` says where to go on. */
    async verify(query: { cursor?: string | undefined } = {}, options: CallOptions = {}): Promise<VerifyReply> {
      return readReply(await send({ method: "GET", path: "/v1/audit/verify", query, ...options }), verifyReplySchema);
    },
    /** A signed statement of how far the log has come, to be kept elsewhere. The operator's own organization gets all logs, a page at a time. */
    async anchor(query: { cursor?: string | undefined } = {}, options: CallOptions = {}): Promise<AnchorReply> {
      return readReply(await send({ method: "GET", path: "/v1/audit/anchor", query, ...options }), anchorReplySchema);
    },
    /** For the operator's own organization: the logs that a restore of the database has set back. */
    async restorations(query: { org?: string | undefined } = {}, options: CallOptions = {}): Promise<RestorationsReply> {
      return readReply(await send({ method: "GET", path: "/v1/audit/restorations", query, ...options }), restorationsReplySchema);
    },
    /** Accepts exactly those that the digest stands for. Never retried. */
    async acceptRestorations(body: { digest: string; org?: string | undefined }, options: CallOptions = {}): Promise<AcceptedRestorations> {
      return readReply(await send({ method: "POST", path: "/v1/audit/restorations", json: body, ...options }), acceptedRestorationsSchema);
    },
  };
}

async function* lines(reply: Response): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const reader = reply.body?.getReader();
  let rest = "";
  try {
    for (let chunk = await reader?.read(); chunk && !chunk.done; chunk = await reader?.read()) {
      const parts = (rest + decoder.decode(chunk.value, { stream: true })).split("\n");
      rest = parts.pop() ?? "";
      yield* parts.filter((line) => line !== "");
    }
  } finally {
    await reader?.cancel();
  }
  if (rest !== "") throw new KeyholeError("unreachable", "The reply broke off.");
}

function parseEvent(line: string): AuditEvent {
  try {
    return auditEventSchema.parse(JSON.parse(line));
  } catch (cause) {
    throw new KeyholeError("unexpected-reply", "A line of the reply is not an audit event.", { cause });
  }
}
