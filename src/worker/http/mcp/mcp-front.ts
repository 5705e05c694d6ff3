import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import * as z from "zod";
import { Problem } from "../../../contract/problem.ts";
import { hasHopped } from "../../outgoing/hop.ts";
import { noteRevoked } from "../count-refusal.ts";
import { type Front, frontApp } from "../front.ts";
import type { HonoEnv } from "../hono-env.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { configure } from "../middleware/configure.ts";
import { limitBody } from "../middleware/limit-body.ts";
import { limitCaller } from "../middleware/limit-calls.ts";
import { countFailure, limitResolves } from "../middleware/limit-rate.ts";
import { needsOf } from "../needs-of.ts";
import { problemReply } from "../problem-reply.ts";
import { problemOfCall, toProblem } from "../to-problem.ts";
import { parseMessage, RPC, RpcError, type RpcMessage } from "./json-rpc.ts";
import { DISCOVERED, initialized, isStateless, resultOf } from "./protocol.ts";
import { toolOf, toolsFor } from "./tools.ts";

const PATH = "/mcp";

/** No page of a browser asks here but one of our own, nor a Keyhole. */
const refuseStrangers = createMiddleware<HonoEnv>(async (c, next) => {
  const origin = c.req.header("Origin");
  if (origin !== undefined && origin !== new URL(c.req.url).origin) throw new Problem("forbidden", "Pages of other origins are not answered.");
  if (hasHopped(c.req.raw.headers)) throw new Problem("loop-detected", "The request has been through Keyhole already.");
  if (c.req.method !== "POST") throw new Problem("method-not-allowed", "This route takes POST.", { headers: { Allow: "POST" } });
  await next();
});

/**
 * The front of the Model Context Protocol (Streamable HTTP): each POST is one message and is answered by itself, in JSON. There are no
 * sessions and no streams. https://modelcontextprotocol.io/specification/2026-07-28
 */
export function mcpFront(): Front {
  const app = frontApp();
  app.use(configure, refuseStrangers, authenticate, limitCaller, limitResolves, limitBody);
  app.all(PATH, answer);
  app.onError(refuse);
  return { takes: (path) => path === PATH, app, routes: [] };
}

async function answer(c: Context<HonoEnv>): Promise<Response> {
  let id: RpcMessage["id"] | null = null;
  try {
    const message = parseMessage(await c.req.text());
    id = message.id ?? null;
    // A notification, or an answer to what we never ask: there is nothing to be said.
    if (message.id === undefined || message.method === undefined) return c.body(null, 202);
    return c.json({ jsonrpc: "2.0", id, result: await resultFor(c, message, isStateless(message, c.req.raw.headers)) });
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    const { code, message, data, status } = error;
    return c.json({ jsonrpc: "2.0", id, error: { code, message, ...(data && { data }) } }, status);
  }
}

async function resultFor(c: Context<HonoEnv>, { method, params }: RpcMessage, stateless: boolean): Promise<object> {
  switch (method) {
    case "server/discover":
      return resultOf(true, DISCOVERED, true);
    case "initialize":
      return initialized(params);
    case "ping":
      return resultOf(stateless, {}, false);
    case "tools/list":
      return resultOf(stateless, { tools: toolsFor(c.get("caller")) }, true);
    case "tools/call":
      return resultOf(stateless, await callTool(c, params), false);
    default:
      throw new RpcError(RPC.methodNotFound, "There is no such method.", undefined, stateless ? undefined : 200);
  }
}

/** What a tool gives. That it was refused is a result for the agent to read. */
async function callTool(c: Context<HonoEnv>, { name, arguments: given = {} }: Readonly<Record<string, unknown>>): Promise<object> {
  const tool = toolOf(name);
  if (!tool) throw new RpcError(RPC.invalidParams, "There is no such tool.", undefined, 200);
  const parsed = tool.args.safeParse(given);
  if (!parsed.success) return failed(`invalid-request: ${z.prettifyError(parsed.error)}`);
  c.set("attempt", tool.attempt(parsed.data));
  try {
    return { content: await tool.call(c, c.get("caller"), parsed.data) };
  } catch (error) {
    const problem = await problemOf(error as Error, c);
    if (NOT_THE_TOOLS.has(problem.code)) throw problem;
    c.set("problem", problem.code);
    return failed(`${problem.code}: ${problem.message}`);
  }
}

/** What is not about the tool: the whole request has come to nothing, and is answered as any other is. */
const NOT_THE_TOOLS: ReadonlySet<string> = new Set(["unauthenticated", "storage-unavailable", "internal"]);

function failed(text: string): object {
  return { content: [{ type: "text", text }], isError: true };
}

/** The problem, which is on record where it is a denial. */
function problemOf(error: Error, c: Context<HonoEnv>): Promise<Problem> {
  return problemOfCall(error, () => ({ ...needsOf(c), caller: c.get("caller"), attempt: c.get("attempt") }));
}

async function refuse(error: Error, c: Context<HonoEnv>): Promise<Response> {
  const problem = toProblem(error);
  noteRevoked(c, error);
  const tooMany = problem.code === "unauthenticated" ? await countFailure(c) : undefined;
  return problemReply(c, tooMany ?? problem);
}
