import { getPath } from "hono/utils/url";
import { type App, leasedApp } from "./leased-app.ts";
import { nativeFront } from "./native/native-front.ts";
import { oauthFront } from "./oauth/oauth-front.ts";
import { vaultFront } from "./vault/vault-front.ts";

/**
 * Every front, each asked for what is its own. The native one is the last: it also refuses what is nobody's. What may be
 * given again under a lease comes before all of them.
 */
export function createApp(): App {
  const oauth = oauthFront();
  const vault = vaultFront();
  const native = nativeFront(oauth.routes, vault.routes);
  const fronts = [oauth, vault, native];
  return leasedApp({
    fetch(request, env, context) {
      const path = getPath(request);
      const front = fronts.find(({ takes }) => takes(path, env)) ?? native;
      return front.app.fetch(request, env, context);
    },
  });
}
