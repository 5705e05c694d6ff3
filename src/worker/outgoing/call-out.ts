import { fetchOutward, type OutgoingCall } from "./fetch-outward.ts";
import { type OutgoingRules, requirePublicOrigin } from "./require-public-origin.ts";

/**
 * Makes a call outward to where a value may go: to an address that {@link requirePublicOrigin} lets pass, by
 * {@link fetchOutward}. Whether the value's own `hosts` have the address is its caller's to check.
 *
 * @throws {OutgoingError}
 */
export async function callOut(rules: OutgoingRules, call: OutgoingCall): Promise<Response> {
  requirePublicOrigin(call.url, rules);
  return await fetchOutward(call);
}
