import { type HostPattern, hostMatches } from "../../contract/hosts.ts";
import { Problem } from "../../contract/problem.ts";
import type { ServiceDefinition } from "../../contract/service.ts";

/** What addresses in a reply are read by: where the request went, and how the service is addressed here. */
export interface Addresses {
  readonly asked: URL;
  readonly base: string;
  readonly definition: Pick<ServiceDefinition, "origins" | "redirects">;
}

/**
 * Where a redirect leads, for the caller: within the service by its own address here. To a host that the service names it is passed on.
 *
 * @throws {Problem} `redirect-refused`.
 */
export function ownLocation(addresses: Addresses, location: string): string {
  const url = URL.canParse(location, addresses.asked) ? new URL(location, addresses.asked) : undefined;
  const own = ownAddressOf(addresses, location);
  if (own !== undefined) return own;
  const passed = url?.protocol === "https:" && url.port === "" && addresses.definition.redirects.some((host) => hostMatches(host as HostPattern, url.hostname));
  if (!url || !passed) throw new Problem("redirect-refused", "The service redirects to another host than its own, which is not among its redirects.");
  return url.href;
}

/** An address that a reply names, as it is called here; `undefined` for one that is not the service's. */
export function ownAddressOf(addresses: Addresses, location: string): string | undefined {
  return URL.canParse(location, addresses.asked) ? ownAddress(addresses, new URL(location, addresses.asked)) : undefined;
}

/** The header `Link` (RFC 8288) with the service's addresses as they are here. */
export function ownLinks(addresses: Addresses, links: string): string {
  return links.replaceAll(/<([^<>]*)>/g, (whole, target: string) => {
    if (!URL.canParse(target, addresses.asked)) return whole;
    const own = ownAddress(addresses, new URL(target, addresses.asked));
    return own === undefined ? whole : `<${own}>`;
  });
}

/** How an address of the service is called here; `undefined` for another one. */
function ownAddress({ base, definition: { origins } }: Addresses, url: URL): string | undefined {
  const found = Object.entries(origins).find(([, origin]) => origin === url.origin);
  if (!found || url.username !== "" || url.password !== "") return undefined;
  const [name] = found;
  return `${base}${name === "" ? "" : `/~${name}`}${url.pathname}${url.search}${url.hash}`;
}
