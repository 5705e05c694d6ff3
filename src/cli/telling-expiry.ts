import { KeyholeError, type TokenProvider } from "../client/create-client.ts";
import { CliError } from "./cli-error.ts";
import { EXIT } from "./exit-code.ts";
import { relativeTime } from "./relative-time.ts";
import { tokenClaims } from "./token-claims.ts";

/** A token that cannot be renewed. When it is not accepted and says itself that it has expired, the error says since when. */
export function tellingExpiry(token: string): TokenProvider {
  return (rejected) => {
    if (rejected === undefined) return token;
    const expiry = tokenClaims(token)?.exp;
    const time = typeof expiry === "number" && expiry * 1000 <= Date.now() ? timeOf(expiry) : undefined;
    if (time === undefined) throw new KeyholeError("unauthenticated", "The service does not accept this token.", { status: 401 });
    throw new CliError(`the token expired ${relativeTime(time)}, at ${time}`, "`keyhole login`, or set KEYHOLE_TOKEN to a new one", EXIT.refused);
  };
}

/** Seconds since 1970 as a time; `undefined` for what is none. */
function timeOf(seconds: number): string | undefined {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
