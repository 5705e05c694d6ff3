import { usageError } from "../cli-error.ts";
import { parseToken } from "../parse-token.ts";
import { canAsk } from "../prompt.ts";
import { readValue, type ValueSource } from "../read-value.ts";
import { browserLogin } from "./browser-login.ts";
import { deviceLogin } from "./device-login.ts";

/** How somebody wants to log in; on a terminal it is in the browser, unless it is said otherwise. */
export interface LoginWay extends ValueSource {
  readonly browser?: boolean | undefined;
  readonly device?: boolean | undefined;
  readonly paste?: boolean | undefined;
}

/** The token that somebody logs in with: one that they have, or one that they get by logging in. */
export async function loginToken(url: string, { browser, device, paste, ...source }: LoginWay): Promise<string> {
  const { stdin, file, keychain } = source;
  const has = [stdin || undefined, file, keychain, source["env-var"], paste || undefined].some((given) => given !== undefined);
  if ([browser, device, has].filter(Boolean).length > 1)
    throw usageError("there is more than one way to log in", "give one of --browser, --device, and where the token is");
  if (device) return deviceLogin(url);
  if (browser || (!has && canAsk())) return browserLogin(url);
  const value = await readValue(source, `Token for ${url}`);
  return parseToken("that", typeof value === "string" ? value : "");
}
