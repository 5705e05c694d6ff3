import { createMiddleware } from "hono/factory";
import { newId } from "../../transaction/new-id.ts";
import type { HonoEnv } from "../hono-env.ts";

/** Gives the request its id and its time, and every reply the headers that keep it from being kept, framed or guessed at. */
export const identifyRequest = createMiddleware<HonoEnv>(async (c, next) => {
  c.set("requestId", newId("req"));
  c.set("now", new Date());
  await next();
  const headers = c.res.headers;
  headers.set("X-Request-Id", c.get("requestId"));
  headers.set("X-Content-Type-Options", "nosniff");
  headers.set("Referrer-Policy", "no-referrer");
  if (!headers.has("Cache-Control")) headers.set("Cache-Control", "no-store");
});
