import { isLoopback } from "../../contract/hosts.ts";
import type { OutgoingRules } from "../outgoing/require-public-origin.ts";
import { StoreError } from "./store-driver.ts";

/** An address that a definition names, as an origin: it has no path, query or user. @throws {StoreError} `address` */
export function originOf(address: string): URL {
  if (!URL.canParse(address)) throw new StoreError("address");
  const url = new URL(address);
  if (url.href !== `${url.origin}/`) throw new StoreError("address");
  return url;
}

/** Whether an address is a stand-in on this machine, and such are allowed. */
export function isStandIn({ hostname }: URL, { insecureOrigins }: Pick<OutgoingRules, "insecureOrigins">): boolean {
  return insecureOrigins && isLoopback(hostname);
}

/** An address that no definition names, or the stand-in for it. @throws {StoreError} `address` */
export function orStandIn(address: string, standIn: string | undefined, rules: OutgoingRules): URL {
  const url = originOf(standIn ?? address);
  if (standIn !== undefined && !isStandIn(url, rules)) throw new StoreError("address");
  return url;
}
