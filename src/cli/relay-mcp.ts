import { createInterface } from "node:readline";
import { describeError } from "./describe-error.ts";
import { printLine } from "./output.ts";
import { proxiedFetch } from "./proxied-fetch.ts";

/** What cannot be had (JSON-RPC 2.0, section 5.1). */
const INTERNAL = -32_603;
/** How long one request may take, in milliseconds: as long as a service's reply may. */
const TIMEOUT = 3_600_000;

/** A line as far as it is looked at here. */
interface Message {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly params?: { readonly _meta?: Record<string, unknown> };
}

/**
 * Speaks the Model Context Protocol on standard input and output, a message a line (MCP, stdio): each goes to `/mcp`, and what comes back
 * is a line. Nothing else is written. It ends with its input, when all that was asked is answered.
 */
export async function relayMcp(url: string, token: string, input: NodeJS.ReadableStream): Promise<void> {
  const open = new Set<Promise<void>>();
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  const over = new AbortController();
  const end = () => {
    over.abort();
    lines.close();
  };
  for (const signal of ENDED_BY) process.once(signal, end);
  for await (const line of lines) {
    if (line.trim() === "") continue;
    const work = answer(url, token, line, over.signal).finally(() => open.delete(work));
    open.add(work);
  }
  await Promise.all(open);
  for (const signal of ENDED_BY) process.off(signal, end);
}

/** With these whoever started it ends it. */
const ENDED_BY = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

async function answer(url: string, token: string, line: string, over: AbortSignal): Promise<void> {
  const message = parse(line);
  try {
    const reply = await proxiedFetch(`${url}/mcp`, {
      method: "POST",
      headers: headersFor(message, token),
      body: line,
      signal: AbortSignal.any([over, AbortSignal.timeout(TIMEOUT)]),
    });
    const text = (await reply.text()).trim();
    if (reply.headers.get("Content-Type")?.startsWith("application/json") && text !== "") printLine(JSON.stringify(JSON.parse(text)));
    else if (!reply.ok) fail(message, detailOf(text) ?? `the service answers with status ${reply.status}`);
  } catch (error) {
    fail(message, describeError(error).message);
  }
}

/** What is refused before it is a message of the protocol is a problem (RFC 9457). */
function detailOf(text: string): string | undefined {
  const { detail } = (parse(text) ?? {}) as { detail?: unknown };
  return typeof detail === "string" ? detail : undefined;
}

function fail(message: Message | undefined, text: string): void {
  // To a notification nothing is said.
  if (message?.id !== undefined) printLine(JSON.stringify({ jsonrpc: "2.0", id: message.id, error: { code: INTERNAL, message: text } }));
}

function headersFor(message: Message | undefined, token: string): Record<string, string> {
  const version = message?.params?._meta?.["io.modelcontextprotocol/protocolVersion"];
  const stateless = typeof version === "string" && typeof message?.method === "string";
  return {
    Accept: "application/json, text/event-stream",
    Authorization: `Bearer ${token}`,
    "Content-Type": "application/json",
    ...(stateless && { "MCP-Protocol-Version": version, "Mcp-Method": String(message.method) }),
  };
}

function parse(text: string): Message | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? parsed : undefined;
  } catch {
    // The service says what is wrong with it.
    return undefined;
  }
}
