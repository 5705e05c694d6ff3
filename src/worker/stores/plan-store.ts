import { invalid } from "../../contract/problem.ts";
import type { StoreDefinition } from "../../contract/store.ts";
import type { Provider } from "../access/store-issuer.ts";
import { OutgoingError } from "../outgoing/outgoing-error.ts";
import { ownHostsOf } from "../outgoing/own-hosts.ts";
import { type OutgoingRules, requirePublicOrigin } from "../outgoing/require-public-origin.ts";
import { addressesOf } from "./drivers.ts";
import { needsIdentity } from "./identity-token.ts";
import { StoreError } from "./store-driver.ts";
import { VAULT_PORT } from "./vault-store.ts";

/** What a store's definition is judged by, and what is sent to one. */
export interface AddressNeeds {
  /** Whether stores may have http and be on this machine. */
  readonly insecureOrigins: boolean;
  /** The hosts that are a service each. */
  readonly useHosts: Readonly<Record<string, string>>;
  /** The deployment's own address, as the request had it. */
  readonly address: string;
  readonly provider: Provider | null;
}

/** Where calls of a store may go. */
export function storeRules({ insecureOrigins, useHosts, address, provider }: AddressNeeds): OutgoingRules {
  const others = [...Object.keys(useHosts), ...(provider ? [new URL(provider.publicUrl).hostname] : [])];
  return { insecureOrigins, ownHosts: ownHostsOf(address, insecureOrigins, others), ports: [VAULT_PORT] };
}

/**
 * Refuses a store at an address where nothing may go, and one for which the deployment has no credential.
 *
 * @throws {Problem} `invalid-request`.
 */
export function judgeStore(needs: AddressNeeds, definition: StoreDefinition): void {
  const [field, address] = addressIn(definition);
  if (address !== undefined) requireAddress(needs, `/${field}`, address);
  requireItsOwn(needs, definition, `/${field}`);
  if (needsIdentity(definition) && !needs.provider)
    throw invalid("/credentials", "this deployment has no identity of its own that a store could know (OIDC_KEY and PUBLIC_URL): give credentials");
}

/** What Entra gives for one Key Vault is good for others, too: it goes to no other host. */
function requireItsOwn(needs: AddressNeeds, definition: StoreDefinition, pointer: string): void {
  try {
    addressesOf(definition, needs);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw invalid(pointer, "that is no address of such a store: a Key Vault is at https://NAME.vault.azure.net, or at the same of another of Azure's clouds");
  }
}

function addressIn(definition: StoreDefinition): readonly [field: string, address: string | undefined] {
  switch (definition.kind) {
    case "aws-secrets-manager":
      return ["endpoint", definition.endpoint];
    case "azure-key-vault":
      return ["vault_url", definition.vault_url];
    case "vault":
      return ["address", definition.address];
  }
}

function requireAddress(needs: AddressNeeds, pointer: string, address: string): void {
  try {
    requirePublicOrigin(new URL(address), storeRules(needs));
  } catch (error) {
    if (!(error instanceof OutgoingError)) throw error;
    throw invalid(
      pointer,
      error.refusal === "own-address"
        ? "that is this deployment's own address"
        : `an address is https, on port 443 or ${VAULT_PORT}, at a public name: no IP address, no name of special use`,
    );
  }
}
