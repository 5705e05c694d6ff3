import { createMiddleware } from "hono/factory";
import type { Action } from "../../../contract/audit.ts";
import type { HonoEnv } from "../hono-env.ts";

/**
 * Says what a route does, for the audit event of a call that is refused: the action, and which parameter of the path
 * is the secret's id, or names what else it is done to.
 */
export function auditedAs(action: Action, of: { readonly secret?: string; readonly target?: string } = {}) {
  return createMiddleware<HonoEnv>(async (c, next) => {
    const parameter = (name: string | undefined) => (name === undefined ? null : (c.req.param(name) ?? null));
    c.set("attempt", { action, secretId: parameter(of.secret), target: parameter(of.target) });
    await next();
  });
}
