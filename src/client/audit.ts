import { KeyholeError } from "./keyhole-error.ts";
import { pages } from "./pages.ts";
import { readReply } from "./read-reply.ts";
import { acceptedRestorations, anchorReply, auditEvent, auditPage, checkpointPage, restorationsReply, verifyReply } from "./readers/audit.ts";
import type { Send } from "./send.ts";
import type {
  AcceptedRestorations,
  AnchorReply,
  AuditCalls,
  AuditEvent,
  AuditFilter,
  AuditPage,
  CheckpointPage,
  RestorationsReply,
  VerifyReply,
} from "./types/audit.ts";
import type { CallOptions, PageQuery } from "./types/calls.ts";

/** The audit log. */
export function auditCalls(send: Send): AuditCalls {
  const list = async (query: AuditFilter & PageQuery = {}, options: CallOptions = {}): Promise<AuditPage> =>
    readReply(await send({ method: "GET", path: "/v1/audit", query: { ...query }, ...options }), auditPage);
  return {
    list,
    listAll: (filter: AuditFilter & Pick<PageQuery, "limit"> = {}, options: CallOptions = {}): AsyncGenerator<AuditEvent> =>
      pages(async (cursor) => {
        const page = await list({ limit: 200, ...filter, ...(cursor !== undefined && { cursor }) }, options);
        return { items: page.events, next: page.next_cursor };
      }),
    async *stream(filter: AuditFilter & { after?: number | undefined } = {}, options: CallOptions = {}): AsyncGenerator<AuditEvent> {
      const reply = await send({ method: "GET", path: "/v1/audit", query: { ...filter, format: "ndjson" }, streamed: true, ...options });
      for await (const line of lines(reply)) yield parseEvent(line);
    },
    async checkpoints(query: PageQuery = {}, options: CallOptions = {}): Promise<CheckpointPage> {
      return readReply(await send({ method: "GET", path: "/v1/audit/checkpoints", query: { ...query }, ...options }), checkpointPage);
    },
    async verify(query: { cursor?: string | undefined } = {}, options: CallOptions = {}): Promise<VerifyReply> {
      return readReply(await send({ method: "GET", path: "/v1/audit/verify", query, ...options }), verifyReply);
    },
    async anchor(query: { cursor?: string | undefined } = {}, options: CallOptions = {}): Promise<AnchorReply> {
      return readReply(await send({ method: "GET", path: "/v1/audit/anchor", query, ...options }), anchorReply);
    },
    async restorations(query: { org?: string | undefined } = {}, options: CallOptions = {}): Promise<RestorationsReply> {
      return readReply(await send({ method: "GET", path: "/v1/audit/restorations", query, ...options }), restorationsReply);
    },
    async acceptRestorations(body: { digest: string; org?: string | undefined }, options: CallOptions = {}): Promise<AcceptedRestorations> {
      return readReply(await send({ method: "POST", path: "/v1/audit/restorations", json: body, ...options }), acceptedRestorations);
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
    return auditEvent(JSON.parse(line), "");
  } catch {
    throw new KeyholeError("unexpected-reply", "A line of the reply is not an audit event.");
  }
}
