import type { Context } from "hono";
import { authorizationSchema, type DeviceBody, deviceSchema, type GoOn } from "../../../contract/console.ts";
import { Problem } from "../../../contract/problem.ts";
import { formatTime } from "../../../contract/time.ts";
import { createCaller } from "../../access/caller.ts";
import { makeAuthorizationCode } from "../../sessions/authorization-codes.ts";
import { decideAbout, deviceFacts, findDevice } from "../../sessions/device-requests.ts";
import { readForCaller } from "../../transaction/run-for-caller.ts";
import type { HonoEnv } from "../hono-env.ts";
import { countTry } from "../middleware/limit-rate.ts";
import { needsOf } from "../needs-of.ts";
import { originOf } from "../origin-of.ts";
import { bodyIn } from "./body-in.ts";
import { requireShownSession } from "./session-of.ts";

/** Gives a program on one's own machine a code for a token, or tells it that it gets none (RFC 6749, section 4.1.2). */
export async function authorizeProgram(c: Context<HonoEnv>): Promise<Response> {
  const { facts } = await requireShownSession(c);
  const { redirect_uri, code_challenge, state, approved } = await bodyIn(c, authorizationSchema);
  const asked = { challenge: code_challenge, redirectUri: redirect_uri };
  const answer = approved ? { code: await makeAuthorizationCode(needsOf(c), originOf(c), facts, asked) } : { error: "access_denied" };
  const location = new URL(redirect_uri);
  // Who answers is said, too (RFC 9207): a program that logs in at several places knows which one it was.
  const said = { ...answer, ...(state !== undefined && { state }), iss: new URL(c.req.url).origin };
  for (const [name, value] of Object.entries(said)) location.searchParams.set(name, value);
  return c.json({ location: location.href } satisfies GoOn);
}

/** Shows a program that waits to be let in (RFC 8628, section 3.3), or decides about it. */
export async function decideDevice(c: Context<HonoEnv>): Promise<Response> {
  const { facts } = await requireShownSession(c);
  const { user_code, approved } = await bodyIn(c, deviceSchema);
  c.set("caller", createCaller({ ...facts, ...originOf(c) }));
  await readForCaller(needsOf(c), c.get("caller"), []);
  await countTry(c);
  const device = await findDevice(needsOf(c), user_code);
  if (!device) throw notFound();
  const permissions = [...deviceFacts(facts).permissions];
  if (approved !== undefined) {
    if (approved && permissions.length === 0) throw c.get("caller").refuse("secrets:read", "Nothing of what this session may do is for a device.");
    if (!(await decideAbout(needsOf(c), originOf(c), device, facts, approved))) throw notFound();
  }
  const { ip, userAgent: user_agent, askedAt } = device;
  return c.json({ user_code, ip, user_agent, asked_at: formatTime(askedAt), permissions, approved: approved ?? null } satisfies DeviceBody);
}

function notFound(): Problem {
  return new Problem("device-not-found", "No program waits with this code: it may be too old, or decided about.");
}
