import { isLoopback, isPublicHost } from "../../contract/hosts.ts";
import { OutgoingError } from "./outgoing-error.ts";

/** Where calls may go. */
export interface OutgoingRules {
  /** Whether http, and this machine's own addresses, are allowed: `ALLOW_INSECURE_ORIGINS`. */
  readonly insecureOrigins: boolean;
  /** The deployment's own hosts, as a `URL`'s `hostname` has them: that of the request, and those of `USE_HOSTS`. */
  readonly ownHosts: ReadonlySet<string>;
  /** Ports beside 443. */
  readonly ports?: readonly number[];
}

/**
 * Refuses an address to which nothing may go: anything but https, on port 443 or another that is allowed, at a name that is
 * public as a text, without a user; and the deployment's own. With `insecureOrigins` also http and this machine, at any port.
 *
 * @throws {OutgoingError}
 */
export function requirePublicOrigin(url: URL, { insecureOrigins, ownHosts, ports = [] }: OutgoingRules): void {
  if (ownHosts.has(url.hostname)) throw new OutgoingError("own-address");
  const { protocol, hostname, port, username, password } = url;
  if (username !== "" || password !== "") throw new OutgoingError("not-public");
  if (insecureOrigins && (protocol === "http:" || protocol === "https:") && (isLoopback(hostname) || isPublicHost(hostname))) return;
  const open = port === "" || ports.includes(Number(port));
  if (protocol !== "https:" || !open || !isPublicHost(hostname)) throw new OutgoingError("not-public");
}
