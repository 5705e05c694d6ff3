import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { Problem } from "../../../contract/problem.ts";
import { networkOf } from "../../access/network-of.ts";
import { describeError } from "../../describe-error.ts";
import { withDeadline } from "../../with-deadline.ts";
import type { HonoEnv } from "../hono-env.ts";
import { originOf } from "../origin-of.ts";

/** How long the limiter may take, in milliseconds. */
const DEADLINE = 1_000;
/** The period of the rate limits in wrangler.toml, in seconds: after it a caller that was held up can go on. */
const PERIOD = "10";

/** Holds up a token that resolves more often than the deployment's rate limit allows. A deployment without the binding has none. */
export const limitResolves = createMiddleware<HonoEnv>(async (c, next) => {
  await countResolve(c);
  await next();
});

/**
 * Counts a resolve, or what is like one, against its token.
 *
 * @throws {Problem} `rate-limited`.
 */
export async function countResolve(c: Context<HonoEnv>): Promise<void> {
  const { org, subject, tokenId } = c.get("caller");
  const problem = await countAgainst(c.env.RESOLVE_LIMIT, `${org}/${tokenId ?? subject}`);
  if (problem) throw problem;
}

/** Counts a failed authentication against the address that it came from, of IPv6 its first 64 bits: a problem, when there are too many from there. */
export async function countFailure(c: Context<HonoEnv>): Promise<Problem | undefined> {
  const address = networkOf(originOf(c).ip);
  return address === null ? undefined : countAgainst(c.env.FAILURE_LIMIT, address);
}

/**
 * Counts a try of what is short enough to be guessed, before it is looked at: who has tried too often learns nothing more, of a right guess
 * either.
 *
 * @throws {Problem} `rate-limited`.
 */
export async function countTry(c: Context<HonoEnv>): Promise<void> {
  const tooMany = await countFailure(c);
  if (tooMany) throw tooMany;
}

async function countAgainst(limit: RateLimit | undefined, key: string): Promise<Problem | undefined> {
  if (!limit || (await mayPass(limit, key))) return undefined;
  return new Problem("rate-limited", "Too many requests from here; wait and try again.", { headers: { "Retry-After": PERIOD } });
}

/** A rate limiter that does not work holds nobody up: it is no part of what a grant allows. */
async function mayPass(limit: RateLimit, key: string): Promise<boolean> {
  try {
    return (await withDeadline(limit.limit({ key }), DEADLINE)).success;
  } catch (error) {
    console.error(JSON.stringify({ level: "error", event: "rate-limit", error: describeError(error) }));
    return true;
  }
}
