import { type Context, Hono, type MiddlewareHandler } from "hono";
import { TrieRouter } from "hono/router/trie-router";
import { Problem } from "../../contract/problem.ts";
import type { HonoEnv } from "./hono-env.ts";
import { identifyRequest } from "./middleware/identify-request.ts";
import { limitAddress } from "./middleware/limit-calls.ts";
import { logRequest } from "./middleware/log-request.ts";
import { requireHttps } from "./middleware/require-https.ts";
import type { Route } from "./operation.ts";
import { problemReply } from "./problem-reply.ts";

/** One way into the Worker, for one kind of client: with its own authentication, limit of bodies, and form of errors. */
export interface Front {
  /** Whether a path is this front's. */
  readonly takes: (path: string) => boolean;
  readonly app: Hono<HonoEnv>;
  readonly routes: readonly Route[];
}

/** An app that names, times and logs its requests, and takes none in the clear, for a front to add what is its own. */
export function frontApp(): Hono<HonoEnv> {
  return new Hono<HonoEnv>().use(identifyRequest, logRequest, requireHttps, limitAddress);
}

/** Adds routes to a front's app. */
export function serveRoutes(app: Hono<HonoEnv>, routes: readonly Route[]): void {
  for (const { method, path, head, middleware = [], handle } of routes)
    app.on([method], [honoPath(path)], ...(head === false ? [refuseHead] : []), ...middleware, handle);
}

/** A HEAD comes to the route of the GET. */
const refuseHead: MiddlewareHandler<HonoEnv> = async (c, next) => {
  if (c.req.method === "HEAD") throw wrongMethod("GET");
  await next();
};

/** Refuses what no route takes: tells a route that is not there from one that does not take the method (RFC 9110, section 15.5.6). */
export function refuseRoute(routes: readonly Route[]): (c: Context<HonoEnv>) => Response {
  const router = new TrieRouter<string>();
  for (const { method, path, head } of routes) {
    router.add("ALL", honoPath(path), method.toUpperCase());
    if (method === "get" && head !== false) router.add("ALL", honoPath(path), "HEAD");
  }
  return (c) => {
    const methods = new Set(router.match("ALL", c.req.path)[0].map(([method]) => method));
    const list = [...methods].sort().join(", ");
    return problemReply(c, list === "" ? NO_ROUTE : wrongMethod(list));
  };
}

function wrongMethod(allowed: string): Problem {
  return new Problem("method-not-allowed", `This route takes ${allowed}.`, { headers: { Allow: allowed } });
}

const NO_ROUTE = new Problem("route-not-found", "There is no such route; /openapi.json lists all. A scope in a path is one percent-encoded segment.");

function honoPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1");
}
