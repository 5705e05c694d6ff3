import { createMiddleware } from "hono/factory";
import { loadConfig } from "../../config.ts";
import type { HonoEnv } from "../hono-env.ts";

/** Loads the configuration, or refuses the request. */
export const configure = createMiddleware<HonoEnv>(async (c, next) => {
  c.set("config", await loadConfig(c.env));
  await next();
});
