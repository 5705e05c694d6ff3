import { isLoopback, isPublicHost } from "../../contract/hosts.ts";

/**
 * Why no request goes to an origin; `undefined` where one may. https, the port that goes without saying, and a name that is public
 * as a text; with `insecure` also this machine, over http or on any port.
 *
 * @param own The host of this deployment, by which nothing comes back to it.
 */
export function judgeOrigin(origin: string, insecure: boolean, own: string): string | undefined {
  const { protocol, port, hostname, host } = new URL(origin);
  if (host === own) return "that is this deployment's own address";
  if (insecure && isLoopback(hostname)) return undefined;
  if (protocol !== "https:") return "an origin is asked over https";
  if (port !== "") return "an origin is asked on port 443";
  return isPublicHost(hostname) ? undefined : "an origin has a public name: no address, and no name of special use";
}
