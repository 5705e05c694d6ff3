import type { Context } from "hono";
import type { HonoEnv } from "./hono-env.ts";

/** Where a request comes from, for the audit log. */
export function originOf(c: Context<HonoEnv>): { requestId: string; ip: string | null; userAgent: string | null } {
  return {
    requestId: c.get("requestId"),
    ip: c.req.header("CF-Connecting-IP")?.slice(0, 64) ?? null,
    userAgent: c.req.header("User-Agent")?.slice(0, 256) ?? null,
  };
}
