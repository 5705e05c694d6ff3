import type { Env } from "./config.ts";
import { createApp } from "./http/app.ts";
import { forgetExpiredTokens } from "./secrets/forget-expired-tokens.ts";
import { settleCiphertexts } from "./secrets/settle-ciphertexts.ts";

export { Resolver } from "./resolver.ts";

const app = createApp();

export default {
  fetch: app.fetch,

  /** Runs each minute: what a request leaves to be done later. */
  async scheduled(controller, env) {
    const now = new Date(controller.scheduledTime);
    const settled = await settleCiphertexts({ db: env.DB, kv: env.KV, now });
    const forgotten = await forgetExpiredTokens({ db: env.DB, now });
    console.log(JSON.stringify({ level: "info", event: "scheduled", ...settled, tokens_forgotten: forgotten }));
  },
} satisfies ExportedHandler<Env>;
