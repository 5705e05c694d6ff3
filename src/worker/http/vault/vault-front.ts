import { type Front, frontApp, honoPath, refuseHead, routeProblems } from "../front.ts";
import type { Route } from "../operation.ts";
import { deleteVersionsRoutes } from "./delete-versions.ts";
import { envRoutes } from "./env.ts";
import { kvRoutes } from "./kv.ts";
import { loginRoutes } from "./login.ts";
import { lookupRoutes } from "./lookup.ts";
import { secretObjectRoutes } from "./secret.ts";
import { subkeysRoutes } from "./subkeys.ts";
import { vaultSystemRoutes } from "./system.ts";
import { vaultTokenRoutes } from "./token.ts";
import { refuseWrapping } from "./vault-operation.ts";
import { isVaultPath, routedPath } from "./vault-path.ts";
import { refuseVaultCall, vaultProblemReply } from "./vault-problem.ts";

const ROUTES: readonly Route[] = [
  ...[...vaultSystemRoutes, ...vaultTokenRoutes, ...lookupRoutes, ...loginRoutes],
  ...[...secretObjectRoutes, ...kvRoutes, ...subkeysRoutes, ...deleteVersionsRoutes, ...envRoutes],
];

/**
 * The front of Vault's wire, as far as its clients use it to get, put and list secrets: its own authentication, bodies
 * and errors, and below them the same verbs as everywhere. `VAULT_FRONT = "off"` turns it off.
 */
export function vaultFront(): Front {
  const app = frontApp((request) => routedPath(request.url));
  app.use(refuseWrapping);
  for (const { method, path, head, middleware = [], handle } of ROUTES) {
    // To write is POST or PUT, as clients like it.
    const methods = method === "post" ? ["post", "put"] : [method];
    app.on(methods, [honoPath(path)], ...(head === false ? [refuseHead] : []), ...middleware, handle);
  }
  const problemAt = routeProblems(ROUTES);
  app.notFound((c) => vaultProblemReply(c, problemAt(c.req.path)));
  app.onError(refuseVaultCall);
  return { takes: (path, env) => env.VAULT_FRONT !== "off" && isVaultPath(path), app, routes: ROUTES };
}
