import { isInTheClear } from "../../../contract/in-the-clear.ts";
import { Problem } from "../../../contract/problem.ts";
import { serviceNameSchema } from "../../../contract/service.ts";
import type { Config } from "../../config.ts";
import type { Use } from "../../services/use-service.ts";
import type { FoundToken } from "./find-token.ts";
import { pathAndQuery } from "./path-and-query.ts";

/** Where a request is for: a service, what comes after its own address here, and that address; and where its token was. */
export interface AddressedUse extends FoundToken {
  readonly service: string;
  readonly path: string;
  readonly query: string;
  readonly base: string;
}

/** Where services are addressed by path. */
export const PREFIX = "/use/";

/**
 * The address of a request, as it arrived.
 *
 * @throws {Problem} `route-not-found`.
 */
export function addressOfUse({ usePaths, useHosts }: Pick<Config, "usePaths" | "useHosts">, address: string): Omit<AddressedUse, keyof FoundToken> {
  const { origin, hostname } = placeOf(address);
  const { path: whole, query } = pathAndQuery(address);
  const ofHost = Object.hasOwn(useHosts, hostname) ? useHosts[hostname] : undefined;
  if (ofHost !== undefined) return { service: ofHost, path: whole, query, base: origin };
  const [, service = "", path = ""] = /^\/use\/([^/]+)(\/.*)?$/s.exec(whole) ?? [];
  if (!usePaths || !serviceNameSchema.safeParse(service).success) throw new Problem("route-not-found", "Services are used at /use/{service}/….");
  return { service, path, query, base: `${origin}${PREFIX}${service}` };
}

/** What the beginning of an address says, up to its path. */
interface AddressedPlace {
  readonly origin: string;
  readonly hostname: string;
  readonly isInTheClear: boolean;
}

/** How many are remembered: a deployment has a few. */
const MOST = 16;
const places = new Map<string, AddressedPlace>();

/** Where an address is. It is parsed once for all requests that come there. */
export function placeOf(address: string): AddressedPlace {
  const [beginning = address] = /^[^:]+:\/\/[^/?#]*/.exec(address) ?? [];
  const known = places.get(beginning);
  if (known) return known;
  const { origin, hostname } = new URL(beginning);
  const place = { origin, hostname, isInTheClear: isInTheClear(beginning) };
  if (places.size >= MOST) places.clear();
  places.set(beginning, place);
  return place;
}

/** Whether a request is for a page of a browser, or for what one shows: services are for what a program asks. */
export function isOfPage(headers: Headers): boolean {
  const destination = headers.get("Sec-Fetch-Dest");
  return headers.get("Sec-Fetch-Mode") === "navigate" || (destination !== null && destination !== "empty");
}

/** A request to a service, without its token. */
export function useOf({ method, headers, body }: Request, { service, path, query, base, tokenIn, parameters, subprotocols }: AddressedUse): Use {
  const zone = headers.get("CF-Worker");
  return { service, path, query, base, method, headers, body, zone, tokenIn, tokenParameters: parameters, socket: subprotocols };
}
