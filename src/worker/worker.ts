import type { Env } from "./config.ts";
import { createApp } from "./http/app.ts";
import { runScheduled } from "./scheduled.ts";

export { Resolver } from "./resolver.ts";

const app = createApp();

export default {
  fetch: app.fetch,

  /** Runs each minute: what requests leave to be done later. */
  scheduled: (controller, env) => runScheduled(env, new Date(controller.scheduledTime)),
} satisfies ExportedHandler<Env>;
