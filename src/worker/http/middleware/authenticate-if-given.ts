import { createMiddleware } from "hono/factory";
import { ConfigError, loadConfig } from "../../config.ts";
import type { HonoEnv } from "../hono-env.ts";
import { sessionOf } from "../session-requests.ts";
import { authenticate } from "./authenticate.ts";

/**
 * Makes a caller of a bearer token, where one is sent, and refuses a bad one: who sends a token asks for more than anybody
 * gets. Where the configuration is not usable no token can be verified, and nobody is a caller.
 */
export const authenticateIfGiven = createMiddleware<HonoEnv>(async (c, next) => {
  if (c.req.header("Authorization") === undefined && !sessionOf(c.req.raw)) return next();
  try {
    c.set("config", await loadConfig(c.env));
  } catch (error) {
    if (error instanceof ConfigError) return next();
    throw error;
  }
  return authenticate(c, next);
});
