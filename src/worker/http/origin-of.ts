import type { Context } from "hono";
import type { HonoEnv } from "./hono-env.ts";

/** Where a request comes from, for the audit log. */
export function originOf(c: Context<HonoEnv>): { requestId: string; ip: string | null; userAgent: string | null } {
  return originIn(c.req.raw.headers, c.get("requestId"));
}

/** The same, without a context of the framework's. */
export function originIn(headers: Headers, requestId: string): { requestId: string; ip: string | null; userAgent: string | null } {
  return {
    requestId,
    ip: headers.get("CF-Connecting-IP")?.slice(0, 64) ?? null,
    userAgent: headers.get("User-Agent")?.slice(0, 256) ?? null,
  };
}
