import { createMiddleware } from "hono/factory";
import { isLoopback } from "../../../contract/hosts.ts";
import { isInTheClear } from "../../../contract/in-the-clear.ts";
import { Problem } from "../../../contract/problem.ts";
import { type Env, loadConfig } from "../../config.ts";
import type { HonoEnv } from "../hono-env.ts";

/**
 * Refuses what came in the clear, but from this machine to itself: also to a name under `localhost` that is a service's (`USE_HOSTS`). It is not redirected: a client that is would go on
 * sending its token in the clear first, and nobody would notice.
 */
export const requireHttps = createMiddleware<HonoEnv>(async (c, next) => {
  if (isInTheClear(c.req.url) && !(await isServiceHere(c.env, new URL(c.req.url))))
    throw new Problem("invalid-request", "Keyhole is asked over https only. This request came in the clear: if it held a token, revoke that.");
  await next();
});

async function isServiceHere(env: Env, { hostname }: URL): Promise<boolean> {
  return isLoopback(hostname) && Object.hasOwn((await loadConfig(env)).useHosts, hostname);
}
