import { bodyLimit } from "hono/body-limit";
import { createMiddleware } from "hono/factory";
import { Problem } from "../../../contract/problem.ts";
import { MAX_BODY_BYTES } from "../../../contract/secret.ts";
import type { HonoEnv } from "../hono-env.ts";

const limit = bodyLimit({ maxSize: MAX_BODY_BYTES, onError: refuse });

/** Refuses larger bodies than 1 MiB. In a GET a body has no meaning (RFC 9110, section 9.3.1): no route reads one. */
export const limitBody = createMiddleware<HonoEnv>((c, next) => (c.req.method === "GET" || c.req.method === "HEAD" ? next() : limit(c, next)));

function refuse(): never {
  throw new Problem("body-too-large", "A body has at most 1 MiB.");
}
