import type { Env } from "./config.ts";
import { createApp } from "./http/app.ts";
import { runScheduled } from "./scheduled.ts";

export { Resolver } from "./resolver.ts";

const app = createApp();

export default {
  fetch: app.fetch,

  /** Runs each minute: what requests leave to be done later. The time is the clock's: whoever can start a run could give it any other. */
  scheduled: (_controller, env) =>
    runScheduled(env, new Date(), { clock: Date.now, rest: (milliseconds) => scheduler.wait(milliseconds), turn: () => scheduler.wait(0) }),
} satisfies ExportedHandler<Env>;
