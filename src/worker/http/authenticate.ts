import { createMiddleware } from "hono/factory";
import { createCaller } from "../access/caller.ts";
import { unauthenticated, verifyToken } from "../access/verify-token.ts";
import type { HonoEnv } from "./hono-env.ts";

const BEARER = /^Bearer +([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)$/i;

/** Makes a caller of the bearer token (RFC 6750, section 2.1), or refuses the request. */
export const authenticate = createMiddleware<HonoEnv>(async (c, next) => {
  const [, token] = BEARER.exec(c.req.header("Authorization") ?? "") ?? [];
  if (token === undefined) throw unauthenticated();
  const { signingKeys, issuer, audience } = c.var.config;
  const facts = await verifyToken({ signingKeys, issuer, audience, now: c.var.now }, token);
  c.set(
    "caller",
    createCaller({
      ...facts,
      requestId: c.var.requestId,
      ip: c.req.header("CF-Connecting-IP") ?? null,
      userAgent: c.req.header("User-Agent")?.slice(0, 256) ?? null,
    }),
  );
  await next();
});
