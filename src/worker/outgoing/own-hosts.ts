import { isLoopback } from "../../contract/hosts.ts";

/** The hosts to which nothing goes, because they are the deployment's own. Where services may be on this machine it is one, too. */
export function ownHostsOf(address: string, insecureOrigins: boolean, others: readonly string[] = []): ReadonlySet<string> {
  return new Set([new URL(address).hostname, ...others].filter((host) => !insecureOrigins || !isLoopback(host)));
}
