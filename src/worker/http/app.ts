import { OpenAPIHono } from "@hono/zod-openapi";
import { bodyLimit } from "hono/body-limit";
import { createMiddleware } from "hono/factory";
import { TrieRouter } from "hono/router/trie-router";
import { Problem } from "../../contract/problem.ts";
import { MAX_BODY_BYTES } from "../../contract/secret.ts";
import { newId } from "../transaction/new-id.ts";
import { recordDenial } from "../transaction/record-denial.ts";
import { describeApi } from "./docs/describe-api.ts";
import type { HonoEnv } from "./hono-env.ts";
import { authenticate } from "./middleware/authenticate.ts";
import { configure } from "./middleware/configure.ts";
import { limitFailures } from "./middleware/limit-rate.ts";
import { logRequest } from "./middleware/log-request.ts";
import { requireJsonText } from "./middleware/require-json-text.ts";
import { auditRoutes } from "./native/audit.ts";
import { importRoutes } from "./native/import.ts";
import { keyRoutes } from "./native/keys.ts";
import { resolveRoutes } from "./native/resolve.ts";
import { scopeRoutes } from "./native/scopes.ts";
import { secretRoutes } from "./native/secrets.ts";
import { systemRoutes } from "./native/system.ts";
import { tokenRoutes } from "./native/tokens.ts";
import { trustRoutes } from "./native/trusts.ts";
import { versionRoutes } from "./native/versions.ts";
import { exchangeRoutes } from "./oauth/exchange.ts";
import { validationHook } from "./parse/validation-hook.ts";
import { problemReply, toProblem } from "./problem-reply.ts";

/** The Worker's HTTP side: every route of the contract. */
export function createApp(): OpenAPIHono<HonoEnv> {
  const app = new OpenAPIHono<HonoEnv>({ defaultHook: validationHook });
  app.use(identifyRequest, logRequest);
  app.use("/v1/*", configure, authenticate, checkBody);
  for (const routes of [
    systemRoutes(),
    secretRoutes(),
    versionRoutes(),
    importRoutes(),
    scopeRoutes(),
    resolveRoutes(),
    auditRoutes(),
    keyRoutes(),
    tokenRoutes(),
    trustRoutes(),
    exchangeRoutes(),
  ])
    app.route("/", routes);
  describeApi(app);
  app.notFound(refuseRoute(app));
  app.onError(async (error, c) => {
    const problem = toProblem(error);
    try {
      if (problem.code === "forbidden") await recordDenial({ db: c.env.DB, now: c.get("now") }, c.get("caller"), c.get("attempt"), problem.about);
      if (problem.code === "unauthenticated") await limitFailures(c);
      return problemReply(c, problem);
    } catch (failure) {
      return problemReply(c, toProblem(failure));
    }
  });
  return app;
}

/** Gives the request its id and its time, and every reply the headers that keep it from being kept, framed or guessed at. */
const identifyRequest = createMiddleware<HonoEnv>(async (c, next) => {
  c.set("requestId", newId("req"));
  c.set("now", new Date());
  await next();
  const headers = c.res.headers;
  headers.set("X-Request-Id", c.get("requestId"));
  headers.set("X-Content-Type-Options", "nosniff");
  headers.set("Referrer-Policy", "no-referrer");
  if (!headers.has("Cache-Control")) headers.set("Cache-Control", "no-store");
});

const limitBody = bodyLimit({ maxSize: MAX_BODY_BYTES, onError: refuseBody });

/** A body has no meaning in a GET (RFC 9110, section 9.3.1): no route reads one, and no request can be made again with one. */
const checkBody = createMiddleware<HonoEnv>((c, next) => {
  if (c.req.method === "GET" || c.req.method === "HEAD") return next();
  return limitBody(c, async () => void (await requireJsonText(c, next)));
});

function refuseBody(): never {
  throw new Problem("body-too-large", "A body has at most 1 MiB.");
}

/** Tells a route that is not there from one that does not take the method (RFC 9110, section 15.5.6). */
function refuseRoute(app: OpenAPIHono<HonoEnv>) {
  const methods = new TrieRouter<string>();
  for (const { method, path } of app.routes) if (method !== "ALL") methods.add("ALL", path, method);
  return (c: Parameters<Parameters<typeof app.notFound>[0]>[0]): Response => {
    const [matched] = methods.match("ALL", c.req.path);
    const allowed = new Set(matched.map(([method]) => method));
    if (allowed.has("GET")) allowed.add("HEAD");
    if (allowed.size === 0)
      return problemReply(
        c,
        new Problem("route-not-found", "There is no such route; /openapi.json lists all. A scope in a path is one percent-encoded segment."),
      );
    const list = [...allowed].sort().join(", ");
    return problemReply(c, new Problem("method-not-allowed", `This route takes ${list}.`, { headers: { Allow: list } }));
  };
}
