import { createMiddleware } from "hono/factory";
import { routePath } from "hono/route";
import { refusalOf } from "../../access/refusal.ts";
import { describeError } from "../../describe-error.ts";
import type { HonoEnv } from "../hono-env.ts";

/** Asked for every few seconds by whatever watches over the Worker: only worth a line when they fail. */
const QUIET = new Set(["/healthz", "/readyz"]);

/**
 * Logs one line of JSON for each request, of a fixed shape: nothing in it comes from a path's parameters, a query, a
 * header or a body. `problem` says what the reply was about, and `refusal` why a caller was not let in, which the reply does
 * not say; both are from closed lists.
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
    // Where the address is held up for it, the problem is another one and the error still says it.
    refusal: (c.get("refusal") as HonoEnv["Variables"]["refusal"] | undefined) ?? refusalOf(c.error) ?? null,
    ...(c.error && c.res.status >= 500 && { error: describeError(c.error) }),
  };
  console.log(JSON.stringify(line));
});
