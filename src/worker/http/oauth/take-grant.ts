import type { Context } from "hono";
import { AUTHORIZATION_CODE } from "../../../contract/oauth-client.ts";
import type { Permission } from "../../../contract/permission.ts";
import type { OAUTH_ERRORS } from "../../../contract/trust.ts";
import { createCaller } from "../../access/caller.ts";
import { narrowToken } from "../../grants/narrow-token.ts";
import { takeAuthorizationCode } from "../../sessions/authorization-codes.ts";
import { askAboutDevice, type DeviceAnswer } from "../../sessions/device-requests.ts";
import type { SessionFacts } from "../../sessions/sealed-facts.ts";
import type { HonoEnv } from "../hono-env.ts";
import { needsOf } from "../needs-of.ts";
import { originOf } from "../origin-of.ts";
import type { ProgramGrant } from "./parse-grant.ts";

/** The token of a program that has logged in. */
interface GivenToken {
  readonly token: string;
  /** Seconds. */
  readonly expiresIn: number;
  readonly permissions: readonly Permission[];
}

/** Why there is none. */
interface NotGiven {
  readonly error: (typeof OAUTH_ERRORS)[number];
  readonly detail: string;
  /** Whether it may have been a guess. */
  readonly isGuess: boolean;
}

const DETAILS: Readonly<Record<Extract<DeviceAnswer, string>, string>> = {
  authorization_pending: "Nobody has decided yet.",
  slow_down: "Asked too soon: wait five seconds longer from now on.",
  access_denied: "It was refused.",
  expired_token: "The device code is none, or is not good any more.",
};

/**
 * Gives a program its token for a code: a child of the token that its user is logged in with, which may do no more and ends with it.
 *
 * @throws {Problem} `unauthenticated` when that is not in force any more, `quota-exceeded`, `rate-limited`, `storage-unavailable`.
 */
export async function takeGrant(c: Context<HonoEnv>, grant: ProgramGrant): Promise<GivenToken | NotGiven> {
  if (grant.grant_type === AUTHORIZATION_CODE) {
    const { code, redirect_uri: redirectUri, code_verifier: verifier } = grant;
    const facts = await takeAuthorizationCode(needsOf(c), { code, redirectUri, verifier });
    return facts ? give(c, facts, "keyhole login") : { error: "invalid_grant", detail: "The code is not good.", isGuess: true };
  }
  const answer = await askAboutDevice(needsOf(c), grant.device_code);
  if (typeof answer === "string") return { error: answer, detail: DETAILS[answer], isGuess: answer === "expired_token" };
  return give(c, answer.facts, `keyhole login --device${answer.device.ip === null ? "" : ` from ${answer.device.ip}`}`);
}

async function give(c: Context<HonoEnv>, facts: SessionFacts, label: string): Promise<GivenToken> {
  const caller = createCaller({ ...facts, ...originOf(c) });
  c.set("caller", caller);
  const { token, expiresIn, permissions } = await narrowToken(needsOf(c), caller, { label });
  return { token, expiresIn, permissions: [...permissions].sort() };
}
