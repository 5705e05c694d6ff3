import { setTimeout as wait } from "node:timers/promises";
import { DEVICE_CODE, deviceAuthorizationReplySchema } from "../../contract/oauth-client.ts";
import { note } from "../output.ts";
import { askToken, notLoggedIn, postForm } from "./oauth-calls.ts";

/** How much longer it waits once it has asked too soon, in milliseconds (RFC 8628, section 3.5). */
const LONGER = 5_000;

/**
 * Logs in where there is no browser (RFC 8628): shows a code, which somebody types into the console on another machine.
 *
 * @returns The token.
 * @throws {CliError} when it is refused, or nobody decides.
 */
export async function deviceLogin(url: string): Promise<string> {
  const asked = await postForm(url, "/oauth/device_authorization", {}, deviceAuthorizationReplySchema);
  if ("error" in asked) throw notLoggedIn(asked);
  note(`Go to ${asked.verification_uri} and type this code:`);
  note(`  ${asked.user_code}`);
  note(`or open ${asked.verification_uri_complete} and compare it.`);
  const until = Date.now() + asked.expires_in * 1000;
  let pause = asked.interval * 1000;
  do {
    await wait(pause);
    const reply = await askToken(url, { grant_type: DEVICE_CODE, device_code: asked.device_code });
    if (!("error" in reply)) return reply.access_token;
    if (reply.error === "slow_down") pause += LONGER;
    else if (reply.error === "temporarily_unavailable") pause *= 2;
    else if (reply.error !== "authorization_pending") throw notLoggedIn(reply);
  } while (Date.now() < until);
  throw notLoggedIn({ error: "expired_token", error_description: "Nobody has let it in in time." });
}
