import { type Context, Hono, type MiddlewareHandler } from "hono";
import { TrieRouter } from "hono/router/trie-router";
import { Problem } from "../../contract/problem.ts";
import type { Env } from "../config.ts";
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
  readonly takes: (path: string, env: Env) => boolean;
  readonly app: Hono<HonoEnv>;
  readonly routes: readonly Route[];
}

/**
 * An app that names, times and logs its requests, takes none in the clear and not too many from one address, for a front to add what is
 * its own.
 *
 * @param getPath The path by which a request finds its route, where that is not simply its own.
 */
export function frontApp(getPath?: (request: Request) => string): Hono<HonoEnv> {
  return unlimitedApp(getPath).use(limitAddress);
}

/** The same, for a front that limits addresses by itself. */
export function unlimitedApp(getPath?: (request: Request) => string): Hono<HonoEnv> {
  return new Hono<HonoEnv>(getPath && { getPath }).use(identifyRequest, logRequest, requireHttps);
}

/** Adds routes to a front's app. */
export function serveRoutes(app: Hono<HonoEnv>, routes: readonly Route[]): void {
  for (const { method, path, head, middleware = [], handle } of routes)
    app.on([method], [honoPath(path)], ...(head === false ? [refuseHead] : []), ...middleware, handle);
}

/** A HEAD comes to the route of the GET. */
export const refuseHead: MiddlewareHandler<HonoEnv> = async (c, next) => {
  if (c.req.method === "HEAD") throw wrongMethod("GET");
  await next();
};

/** Refuses what no route takes: tells a route that is not there from one that does not take the method (RFC 9110, section 15.5.6). */
export function refuseRoute(routes: readonly Route[]): (c: Context<HonoEnv>) => Response {
  const problemAt = routeProblems(routes);
  return (c) => problemReply(c, problemAt(c.req.path));
}

/** Why no route takes a request for a path: there is none, or it takes other methods. */
export function routeProblems(routes: readonly Route[]): (path: string) => Problem {
  const router = new TrieRouter<string>();
  for (const { method, path, head } of routes) {
    router.add("ALL", honoPath(path), method.toUpperCase());
    if (method === "get" && head !== false) router.add("ALL", honoPath(path), "HEAD");
  }
  return (path) => {
    const methods = new Set(router.match("ALL", path)[0].map(([method]) => method));
    const list = [...methods].sort().join(", ");
    return list === "" ? NO_ROUTE : wrongMethod(list);
  };
}

function wrongMethod(allowed: string): Problem {
  return new Problem("method-not-allowed", `This route takes ${allowed}.`, { headers: { Allow: allowed } });
}

const NO_ROUTE = new Problem("route-not-found", "There is no such route; /openapi.json lists all. A scope in a path is one percent-encoded segment.");

/** A path as OpenAPI writes it, for the router. */
export function honoPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1");
}
