import * as z from "zod";
import type { Keyring } from "../envelope/keyring.ts";
import { openText } from "../envelope/open-text.ts";
import { sealText } from "../envelope/seal-text.ts";

/** For how long a login that was begun can be finished, in milliseconds. */
export const LOGIN_TIME = 10 * 60_000;

const stateSchema = z.strictObject({
  org: z.string(),
  login: z.string(),
  /** What the login said when it was begun. */
  revision: z.int(),
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  /** The page of the console to which it leads. */
  page: z.string(),
  /** Milliseconds since 1970. */
  expiresAt: z.int(),
});

/** A login that was begun, as the browser keeps it until the provider has sent it back. */
export type LoginState = z.output<typeof stateSchema>;

const NAME = "login state";

/** Encrypts a login that was begun: the browser keeps it, and cannot read or change it. */
export function sealLoginState(keyring: Keyring, state: LoginState): Promise<string> {
  return sealText(keyring, NAME, JSON.stringify(state));
}

/** Opens what a browser kept; `undefined` for anything that was not sealed for that, and for what is too old. */
export async function openLoginState(keyring: Keyring, sealed: string, now: Date): Promise<LoginState | undefined> {
  const text = await openText(keyring, NAME, sealed);
  const state = text === undefined ? undefined : stateSchema.parse(JSON.parse(text));
  return state && state.expiresAt > now.getTime() ? state : undefined;
}
