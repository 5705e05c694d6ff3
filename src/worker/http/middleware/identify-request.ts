import { createMiddleware } from "hono/factory";
import { newId } from "../../transaction/new-id.ts";
import type { HonoEnv } from "../hono-env.ts";

/** Gives the request its id and its time, and every reply the headers that keep it from being kept, framed or guessed at. */
export const identifyRequest = createMiddleware<HonoEnv>(async (c, next) => {
  c.set("requestId", newId("req"));
  c.set("now", new Date());
  await next();
  for (const [name, value] of Object.entries(commonHeaders(c.get("requestId")))) c.res.headers.set(name, value);
  if (!c.res.headers.has("Cache-Control")) c.res.headers.set("Cache-Control", "no-store");
});

/** What every reply has. */
export function commonHeaders(requestId: string): Record<string, string> {
  return { "X-Request-Id": requestId, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer" };
}
