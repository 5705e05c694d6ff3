import { createMiddleware } from "hono/factory";
import { newId } from "../../transaction/new-id.ts";
import type { HonoEnv } from "../hono-env.ts";

/** Gives the request its id and its time, and every reply the headers that keep it from being kept, framed or guessed at. */
export const identifyRequest = createMiddleware<HonoEnv>(async (c, next) => {
  c.set("requestId", newId("req"));
  c.set("now", new Date());
  await next();
  for (const [name, value] of Object.entries(commonHeaders(c.get("requestId"), c.req.url))) c.res.headers.set(name, value);
  if (!c.res.headers.has("Cache-Control")) c.res.headers.set("Cache-Control", "no-store");
});

/** For a year the host is asked over https only (RFC 6797, section 6.1). */
const STRICT_TRANSPORT = { "Strict-Transport-Security": "max-age=31536000" };

/** What every reply has; over http nobody heeds the one about https (RFC 6797, section 7.2). */
export function commonHeaders(requestId: string, url: string): Record<string, string> {
  const transport = url.startsWith("https:") ? STRICT_TRANSPORT : {};
  return { "X-Request-Id": requestId, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", ...transport };
}
