import type { Context } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import type { HonoEnv } from "../hono-env.ts";

const SECRET = /^[A-Za-z0-9_-]{43}$/;

/**
 * The name of the cookie. With `__Host-` no other host can set it, and browsers take it over https only (RFC 6265bis, section 4.1.3.2); on
 * this machine there is no https.
 */
function nameOf(c: Context<HonoEnv>): string {
  return isSecure(c) ? "__Host-keyhole" : "keyhole";
}

function isSecure(c: Context<HonoEnv>): boolean {
  return c.req.url.startsWith("https:");
}

/** The secret of the session that a browser has; `undefined` for none. */
export function sessionSecret(c: Context<HonoEnv>): string | undefined {
  const found = getCookie(c, nameOf(c)) ?? "";
  return SECRET.test(found) ? found : undefined;
}

/** Gives the browser a session's secret, for so many seconds; 0 takes it away. */
export function giveSession(c: Context<HonoEnv>, secret: string, seconds: number): void {
  setCookie(c, nameOf(c), secret, { ...cookieOf(c), sameSite: "Strict", maxAge: Math.max(0, Math.floor(seconds)) });
}

/** How long a login that was begun with a provider may take, and how long its end may take, in seconds. */
const LOGIN = 600;
const ARRIVAL = 300;

/** Has the browser keep a login that was begun, sealed. It comes back from the provider with it: `Lax`, because that is another site. */
export function giveLogin(c: Context<HonoEnv>, sealed: string): void {
  setCookie(c, `${nameOf(c)}-login`, sealed, { ...cookieOf(c), sameSite: "Lax", maxAge: LOGIN });
}

/** The login that the browser has begun, which it forgets with that; `undefined` for none. */
export function takeLogin(c: Context<HonoEnv>): string | undefined {
  const found = getCookie(c, `${nameOf(c)}-login`);
  setCookie(c, `${nameOf(c)}-login`, "", { ...cookieOf(c), sameSite: "Lax", maxAge: 0 });
  return found;
}

/** Has the browser keep the code by which its login ends: so it is in no address, and nobody else's. */
export function giveArrival(c: Context<HonoEnv>, code: string): void {
  setCookie(c, `${nameOf(c)}-arrival`, code, { ...cookieOf(c), sameSite: "Strict", maxAge: ARRIVAL });
}

/** The code by which a login ends, which the browser forgets with that; `undefined` for none. */
export function takeArrival(c: Context<HonoEnv>): string | undefined {
  const found = getCookie(c, `${nameOf(c)}-arrival`) ?? "";
  setCookie(c, `${nameOf(c)}-arrival`, "", { ...cookieOf(c), sameSite: "Strict", maxAge: 0 });
  return SECRET.test(found) ? found : undefined;
}

function cookieOf(c: Context<HonoEnv>): { path: string; httpOnly: true; secure: boolean } {
  return { path: "/", httpOnly: true, secure: isSecure(c) };
}
