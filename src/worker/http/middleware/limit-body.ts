import { bodyLimit } from "hono/body-limit";
import { createMiddleware } from "hono/factory";
import { MAX_PAGE_BYTES } from "../../../contract/backup.ts";
import { Problem } from "../../../contract/problem.ts";
import { MAX_BODY_BYTES } from "../../../contract/secret.ts";
import type { HonoEnv } from "../hono-env.ts";

/** Of each path with larger bodies than others how large: a page of a backup may have an archived part of a log. */
const LARGER: Readonly<Record<string, number>> = { "/v1/backup/restore": MAX_PAGE_BYTES };

const limit = bodyLimit({ maxSize: MAX_BODY_BYTES, onError: refuse });
const larger = Object.fromEntries(Object.entries(LARGER).map(([path, maxSize]) => [path, bodyLimit({ maxSize, onError: refuse })]));

/** Refuses larger bodies than 1 MiB, but for {@link LARGER}. In a GET a body has no meaning (RFC 9110, section 9.3.1): no route reads one. */
export const limitBody = createMiddleware<HonoEnv>((c, next) =>
  c.req.method === "GET" || c.req.method === "HEAD" ? next() : (larger[c.req.path] ?? limit)(c, next),
);

function refuse(): never {
  throw new Problem("body-too-large", "A body has at most 1 MiB, a page of a backup 16.");
}
