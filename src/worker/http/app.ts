import { getPath } from "hono/utils/url";
import { ConfigError, type Env, loadConfig } from "../config.ts";
import { consoleFront } from "./console/console-front.ts";
import { type App, leasedApp } from "./leased-app.ts";
import { mcpFront } from "./mcp/mcp-front.ts";
import { nativeFront } from "./native/native-front.ts";
import { oauthFront } from "./oauth/oauth-front.ts";
import { useFront } from "./use/use-front.ts";
import { vaultFront } from "./vault/vault-front.ts";

/**
 * Every front, each asked for what is its own. The native one is the last: it also refuses what is nobody's. What may be
 * given again under a lease comes before all of them, but for a host that is a service: nothing else is served there.
 */
export function createApp(): App {
  const oauth = oauthFront();
  const use = useFront();
  const vault = vaultFront();
  const native = nativeFront(oauth.routes, vault.routes);
  const fronts = [oauth, vault, use, mcpFront(), consoleFront(native), native];
  const app = leasedApp({
    fetch(request, env, context) {
      const path = getPath(request);
      const front = fronts.find(({ takes }) => takes(path, env)) ?? native;
      return front.app.fetch(request, env, context);
    },
  });
  return {
    fetch(request, env, context) {
      if ((env.USE_HOSTS ?? "{}") === "{}") return app.fetch(request, env, context);
      return ofHost(request, env).then((isService) => (isService ? use.app : app).fetch(request, env, context));
    },
  };
}

/** Whether a request is for a host that is a service. Where the configuration is not usable, nothing is. */
async function ofHost(request: Request, env: Env): Promise<boolean> {
  try {
    return Object.hasOwn((await loadConfig(env)).useHosts, new URL(request.url).hostname);
  } catch (error) {
    if (error instanceof ConfigError) return false;
    throw error;
  }
}
