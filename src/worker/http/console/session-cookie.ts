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
  setCookie(c, nameOf(c), secret, { path: "/", httpOnly: true, secure: isSecure(c), sameSite: "Strict", maxAge: Math.max(0, Math.floor(seconds)) });
}
