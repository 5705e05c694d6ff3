import { createMiddleware } from "hono/factory";
import { storageUnavailable } from "../../../contract/problem.ts";
import { ConfigError, loadConfig } from "../../config.ts";
import type { HonoEnv } from "../hono-env.ts";

/** Loads the configuration, or refuses the request: a Worker that lacks a secret does nothing by halves. */
export const configure = createMiddleware<HonoEnv>(async (c, next) => {
  try {
    c.set("config", await loadConfig(c.env));
  } catch (error) {
    if (error instanceof ConfigError) throw storageUnavailable("The service is not configured; /readyz says what is missing.", error);
    throw error;
  }
  await next();
});
