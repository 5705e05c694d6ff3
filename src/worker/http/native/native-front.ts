import type { Context } from "hono";
import { noteRevoked } from "../count-refusal.ts";
import { describeApi } from "../docs/describe-api.ts";
import { type Front, frontApp, refuseRoute, serveRoutes } from "../front.ts";
import type { HonoEnv } from "../hono-env.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { configure } from "../middleware/configure.ts";
import { limitBody } from "../middleware/limit-body.ts";
import { limitCaller } from "../middleware/limit-calls.ts";
import { countFailure } from "../middleware/limit-rate.ts";
import { noteWrites } from "../middleware/note-writes.ts";
import { needsOf } from "../needs-of.ts";
import type { Route } from "../operation.ts";
import { problemReply } from "../problem-reply.ts";
import { problemOfCall } from "../to-problem.ts";
import { auditRoutes } from "./audit.ts";
import { backupRoutes } from "./backup.ts";
import { importRoutes } from "./import.ts";
import { importObjectRoutes } from "./import-object.ts";
import { keyRoutes } from "./keys.ts";
import { loginRoutes } from "./logins.ts";
import { metricRoutes } from "./metrics.ts";
import { oidcRoutes } from "./oidc.ts";
import { quotaRoutes } from "./quotas.ts";
import { resolveRoutes } from "./resolve.ts";
import { revocationRoutes } from "./revocations.ts";
import { scopeRoutes } from "./scopes.ts";
import { sealRoutes } from "./seals.ts";
import { secretRoutes } from "./secrets.ts";
import { serviceRoutes } from "./services.ts";
import { storeRoutes } from "./stores.ts";
import { systemRoutes } from "./system.ts";
import { tokenRoutes } from "./tokens.ts";
import { trustRoutes } from "./trusts.ts";
import { versionRoutes } from "./versions.ts";
import { webhookRoutes } from "./webhooks.ts";

const ROUTES: readonly Route[] = [
  ...systemRoutes,
  ...secretRoutes,
  ...versionRoutes,
  ...importRoutes,
  ...importObjectRoutes,
  ...scopeRoutes,
  ...resolveRoutes,
  ...auditRoutes,
  ...keyRoutes,
  ...metricRoutes,
  ...quotaRoutes,
  ...sealRoutes,
  ...backupRoutes,
  ...tokenRoutes,
  ...revocationRoutes,
  ...trustRoutes,
  ...loginRoutes,
  ...serviceRoutes,
  ...storeRoutes,
  ...oidcRoutes,
  ...webhookRoutes,
];

/**
 * The front of Keyhole's own contract: below `/v1` bearer tokens and bodies of at most 1 MiB, everywhere problem details
 * (RFC 9457).
 *
 * @param described Routes of other fronts that belong into the same API description.
 * @param vault Those that have a description of their own.
 */
export function nativeFront(described: readonly Route[], vault: readonly Route[]): Front {
  const app = frontApp();
  for (const path of ["/v1/*", "/metrics"]) app.use(path, configure, authenticate, limitCaller, noteWrites, limitBody);
  const routes = [...ROUTES, ...describeApi((own) => [...ROUTES, ...described, ...own], vault)];
  serveRoutes(app, routes);
  app.notFound(refuseRoute(routes));
  app.onError(refuse);
  return { takes: () => true, app, routes };
}

async function refuse(error: Error, c: Context<HonoEnv>): Promise<Response> {
  const problem = await problemOfCall(error, () => ({ ...needsOf(c), caller: c.get("caller"), attempt: c.get("attempt") }));
  noteRevoked(c, error);
  const tooMany = problem.code === "unauthenticated" ? await countFailure(c) : undefined;
  return problemReply(c, tooMany ?? problem);
}
