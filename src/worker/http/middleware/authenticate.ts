import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { storageUnavailable } from "../../../contract/problem.ts";
import { type Caller, createCaller } from "../../access/caller.ts";
import { IssuerError } from "../../access/fetch-issuer-document.ts";
import { TokenError } from "../../access/verify-jwt.ts";
import { type TokenFacts, unauthenticated, verifyToken } from "../../access/verify-token.ts";
import type { HonoEnv } from "../hono-env.ts";
import { originOf } from "../origin-of.ts";
import { sessionOf } from "../session-requests.ts";

/** A header with a bearer token that is a JWT. */
export const BEARER = /^Bearer +([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)$/i;

/** Makes a caller of the session that the request is made in, or of the bearer token (RFC 6750, section 2.1), or refuses the request. */
export const authenticate = createMiddleware<HonoEnv>(async (c, next) => {
  const session = sessionOf(c.req.raw);
  if (session) {
    c.set("caller", createCaller({ ...session, ...originOf(c) }));
    return next();
  }
  const header = c.req.header("Authorization");
  const [, token] = BEARER.exec(header ?? "") ?? [];
  if (token === undefined) throw unauthenticated(header === undefined ? "no-token" : "not-bearer");
  await setCaller(c, token);
  await next();
});

/**
 * Makes a token's holder the caller of a request, wherever in it the token was.
 *
 * @throws {Problem} `unauthenticated`, `storage-unavailable`.
 */
export async function setCaller(c: Context<HonoEnv>, token: string): Promise<Caller> {
  const facts = await factsOfToken(c, token);
  const caller = createCaller({ ...facts, ...originOf(c) });
  c.set("caller", caller);
  return caller;
}

/**
 * What a token says of its holder.
 *
 * @throws {Problem} `unauthenticated`, `storage-unavailable`.
 */
export async function factsOfToken(c: Context<HonoEnv>, token: string): Promise<TokenFacts> {
  try {
    return await verifyToken({ ...c.get("config"), now: c.get("now") }, token);
  } catch (error) {
    if (error instanceof TokenError) throw unauthenticated(error.refusal, error);
    if (error instanceof IssuerError) throw storageUnavailable("The keys of the token's issuer are not available.", error);
    throw error;
  }
}
