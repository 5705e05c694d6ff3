import { createMiddleware } from "hono/factory";
import type { HonoEnv } from "./hono-env.ts";
import { isJson } from "./media-type.ts";
import { requireText } from "./parse-value.ts";

/**
 * Refuses a JSON body that is not UTF-8 (RFC 8259, section 8.1): the runtime reads such a one with replacement
 * characters, and a value would be stored that nobody sent.
 */
export const requireJsonText = createMiddleware<HonoEnv>(async (c, next) => {
  const contentType = c.req.header("Content-Type") ?? "";
  if (isJson(contentType)) requireText(new Uint8Array(await c.req.arrayBuffer()), contentType);
  await next();
});
