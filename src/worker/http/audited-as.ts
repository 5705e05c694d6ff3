import { createMiddleware } from "hono/factory";
import type { Action } from "../../contract/audit.ts";
import type { HonoEnv } from "./hono-env.ts";

/** Says what a route does, for the audit event of a call that is refused. */
export function auditedAs(action: Action) {
  return createMiddleware<HonoEnv>(async (c, next) => {
    c.set("action", action);
    await next();
  });
}
