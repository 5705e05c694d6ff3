import type { Context } from "hono";
import { signerOf } from "../../access/token-signer.ts";
import { unauthenticated } from "../../access/verify-token.ts";
import { findSession, type OpenSession } from "../../sessions/find-session.ts";
import type { SessionFacts } from "../../sessions/sealed-facts.ts";
import type { HonoEnv } from "../hono-env.ts";
import { factsOfToken } from "../middleware/authenticate.ts";
import { needsOf } from "../needs-of.ts";
import { sessionSecret } from "./session-cookie.ts";

/** The session of the browser that asks; `undefined` for none. */
export async function openSessionOf(c: Context<HonoEnv>): Promise<OpenSession | undefined> {
  const secret = sessionSecret(c);
  return secret === undefined ? undefined : findSession(needsOf(c), secret);
}

/** @throws {Problem} `unauthenticated` */
export async function requireSession(c: Context<HonoEnv>): Promise<OpenSession> {
  const session = await openSessionOf(c);
  if (session) return session;
  throw unauthenticated("no-token");
}

/**
 * The session of the browser, if it is of the organization that the page shows.
 *
 * @throws {Problem} `unauthenticated`, also where the page shows another organization than the browser's session is in by now.
 */
export async function requireShownSession(c: Context<HonoEnv>): Promise<OpenSession> {
  const session = await requireSession(c);
  if ((c.req.header("Keyhole-Organization") ?? session.facts.org) !== session.facts.org) throw unauthenticated("no-token");
  return session;
}

/** What a session is for that begins with a token: it outlasts the time for which another issuer's keys are relied on. */
export async function lastingFacts(c: Context<HonoEnv>, token: string): Promise<SessionFacts> {
  const facts = await factsOfToken(c, token);
  return { ...facts, verifiedUntil: null, signer: signerOf(c.get("config"), token) };
}
