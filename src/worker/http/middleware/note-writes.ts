import { createMiddleware } from "hono/factory";
import { noteWrite } from "../../leases/freshness.ts";
import { leasesOf } from "../../leases/leases.ts";
import type { HonoEnv } from "../hono-env.ts";

/** What a call of this isolate has changed, or may have, holds for what this isolate gives again from then on. */
export const noteWrites = createMiddleware<HonoEnv>(async (c, next) => {
  await next();
  const reads = c.req.method === "GET" || c.req.method === "HEAD" || c.req.path === "/v1/resolve";
  if (!reads) noteWrite(leasesOf(c.get("config")), c.get("caller").org);
});
