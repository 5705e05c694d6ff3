import { createMiddleware } from "hono/factory";
import { routePath } from "hono/route";
import type { HonoEnv } from "./hono-env.ts";

/** Asked for every few seconds by whatever watches over the Worker: only worth a line when they fail. */
const QUIET = new Set(["/healthz", "/readyz"]);

/**
 * Logs one line of JSON for each request, of a fixed shape: nothing in it comes from a path's parameters, a query, a
 * header or a body.
 */
export const logRequest = createMiddleware<HonoEnv>(async (c, next) => {
  const started = Date.now();
  await next();
  if (QUIET.has(c.req.path) && c.res.ok) return;
  const caller = c.get("caller") as HonoEnv["Variables"]["caller"] | undefined;
  const line = {
    level: c.res.status >= 500 ? "error" : "info",
    event: "request",
    method: c.req.method,
    route: routePath(c),
    status: c.res.status,
    duration_ms: Date.now() - started,
    request_id: c.get("requestId"),
    org: caller?.org ?? null,
    subject: caller?.subject ?? null,
    problem: (c.get("problem") as HonoEnv["Variables"]["problem"] | undefined) ?? null,
    ...(c.error && c.res.status >= 500 && { error: describeError(c.error) }),
  };
  console.log(JSON.stringify(line));
});

/**
 * An error's name and where it was thrown, and those of its causes. Messages are left out, because some quote what they
 * could not parse; but for D1's and KV's, which say what failed and hold no bound parameter.
 */
export function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { name: typeof error };
  return {
    name: error.name,
    ...(/^(D1_|KV )/.test(error.message) && { message: error.message }),
    at: framesOf(error),
    ...(error.cause !== undefined && { cause: describeError(error.cause) }),
    ...(error instanceof AggregateError && { errors: error.errors.map(describeError) }),
  };
}

/** Where an error was thrown. The stack begins with the message, which may itself hold lines that look like frames. */
function framesOf({ stack = "", message }: Error): string[] {
  const start = stack.indexOf(message);
  // A message that was changed later hides where the first one ends.
  if (start === -1) return [];
  const lines = stack.slice(start + message.length).split("\n");
  return lines
    .filter((line) => /^\s+at .*(?::\d+:\d+|<anonymous>|native)\)?$/.test(line))
    .slice(0, 6)
    .map((line) => line.trim());
}
