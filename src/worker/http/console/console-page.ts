import type { Context } from "hono";
import { Problem } from "../../../contract/problem.ts";
import type { HonoEnv } from "../hono-env.ts";
import { PAGE_HEADERS } from "../page-headers.ts";

/** Where the pages are. */
export const CONSOLE = "/console";

const FILE = /^\/[A-Za-z0-9_-]+\.[a-z0-9]+$/;
/** What is in such a file never changes: its name would. */
const HASHED = /-[A-Z0-9]{8}\.(?:js|css)$/;

/**
 * A file of the console, or the page itself for any other address below it: which of its views that is, is for the page to see.
 *
 * @throws {Problem} `route-not-found` for a file that is not there, and where a deployment has no console.
 */
export async function consolePage(c: Context<HonoEnv>): Promise<Response> {
  const path = c.req.path.slice(CONSOLE.length);
  const isFile = FILE.test(path);
  const found = await c.env.CONSOLE?.fetch(new URL(isFile ? path : "/index.html", c.req.url));
  if (!found?.ok) throw new Problem("route-not-found", isFile ? "The console has no such file." : "This deployment was made without a console.");
  const headers = {
    "Content-Type": found.headers.get("Content-Type") ?? "application/octet-stream",
    "Cache-Control": HASHED.test(path) ? "public, max-age=31536000, immutable" : "no-cache",
    ...PAGE_HEADERS,
  };
  return new Response(found.body, { headers });
}
