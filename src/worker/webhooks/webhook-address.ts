import { invalid } from "../../contract/problem.ts";
import type { Provider } from "../access/store-issuer.ts";
import { OutgoingError } from "../outgoing/outgoing-error.ts";
import { ownHostsOf } from "../outgoing/own-hosts.ts";
import { type OutgoingRules, requirePublicOrigin } from "../outgoing/require-public-origin.ts";

/** What the address of a webhook is judged by. */
export interface AddressNeeds {
  /** Whether addresses may have http and be on this machine. */
  readonly insecureOrigins: boolean;
  /** The hosts that are a service each. */
  readonly useHosts: Readonly<Record<string, string>>;
  readonly provider: Provider | null;
}

/**
 * Where messages may go.
 *
 * @param own The deployment's own address, as the request had it that made the webhook.
 */
export function webhookRules({ insecureOrigins, useHosts, provider }: AddressNeeds, own: string): OutgoingRules {
  const others = [...Object.keys(useHosts), ...(provider ? [new URL(provider.publicUrl).hostname] : [])];
  return { insecureOrigins, ownHosts: ownHostsOf(own, insecureOrigins, others) };
}

/**
 * Refuses an address where nothing may go.
 *
 * @throws {Problem} `invalid-request`.
 */
export function judgeAddress(needs: AddressNeeds, own: string, url: string): void {
  try {
    requirePublicOrigin(new URL(url), webhookRules(needs, own));
  } catch (error) {
    if (!(error instanceof OutgoingError)) throw error;
    throw invalid(
      "/url",
      error.refusal === "own-address"
        ? "that is this deployment's own address"
        : "an address is https, on port 443, at a public name: no IP address, no name of special use, no user",
    );
  }
}
