import { createClient } from "../client/create-client.ts";
import { type NarrowRequest, narrowToken } from "../client/narrow-token.ts";
import { describeError } from "./describe-error.ts";
import { ENDING_SIGNALS, onSignals } from "./on-signals.ts";
import { note } from "./output.ts";
import { proxiedFetch } from "./proxied-fetch.ts";
import type { Session } from "./session.ts";
import { tokenClaims } from "./token-claims.ts";

/** How long the end of a token may take, in milliseconds, and how often it is tried again. */
const ENDING = { timeout: 5_000, retries: 2 };

/** What a narrower token is to have. */
export type Narrowed = Pick<NarrowRequest, "permissions" | "services" | "expires_in">;

/**
 * Does something with a narrower token than one's own, which lives no longer than that and is revoked when it is done. If that is
 * interrupted the token ends by itself.
 *
 * @param work Gets the address of the deployment, without a `/` at its end, and the token.
 */
export async function withNarrowToken<T>({ url: given, token }: Session, narrowed: Narrowed, work: (url: string, token: string) => Promise<T>): Promise<T> {
  const url = given.replace(/\/+$/, "");
  const own = typeof token === "string" ? token : await token();
  const { access_token } = await narrowToken({ baseUrl: url, token: own, fetch: proxiedFetch, ...narrowed });
  try {
    return await work(url, access_token);
  } finally {
    await uninterrupted(() => endToken(url, access_token));
  }
}

/** Does something short of which a signal, a second Ctrl-C for example, makes no end: the token would live on. */
async function uninterrupted(work: () => Promise<void>): Promise<void> {
  const letGo = onSignals(ENDING_SIGNALS, () => {});
  try {
    await work();
  } finally {
    letGo();
  }
}

/** What goes wrong with that is told and changes nothing else. */
async function endToken(url: string, token: string): Promise<void> {
  const { jti } = tokenClaims(token) ?? {};
  try {
    await createClient({ baseUrl: url, token, fetch: proxiedFetch, ...ENDING }).tokens.revoke(String(jti));
  } catch (error) {
    note(`warning: the token that was made for this could not be revoked, and ends by itself: ${describeError(error).message}`);
  }
}
