import { CONSOLE } from "./console-page.ts";

/** Where providers send people back to, below the console: another address for each login, so that no answer is taken for another one's (RFC 9700, section 4.4.2.2). */
export const CALLBACK = `${CONSOLE}/callback`;

/** The redirect URI of a login. */
export function callbackOf(url: string, org: string, login: string): string {
  return `${new URL(url).origin}${CALLBACK}/${org}/${login}`;
}
