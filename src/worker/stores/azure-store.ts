import type { OutgoingRules } from "../outgoing/require-public-origin.ts";
import { isStandIn, originOf } from "./store-address.ts";
import { StoreError } from "./store-driver.ts";

/** Where secrets of Azure Key Vault are. */
export interface AzureStore {
  readonly kind: "azure-key-vault";
  readonly vault_url: string;
  readonly tenant_id: string;
  readonly client_id: string;
}

/** A cloud of Azure. */
export interface AzureCloud {
  /** What the names of its vaults end with. */
  readonly suffix: string;
  /** Where access tokens are given. */
  readonly authority: string;
  /** What they are asked for. */
  readonly scope: string;
  /** The audience by which its Entra knows a token that is meant for it. */
  readonly audience: string;
}

const PUBLIC: AzureCloud = {
  suffix: ".vault.azure.net",
  authority: "https://login.microsoftonline.com",
  scope: "https://vault.azure.net/.default",
  audience: "api://AzureADTokenExchange",
};
/** The public cloud and the sovereign ones. */
const CLOUDS: readonly AzureCloud[] = [
  PUBLIC,
  {
    suffix: ".vault.usgovcloudapi.net",
    authority: "https://login.microsoftonline.us",
    scope: "https://vault.usgovcloudapi.net/.default",
    audience: "api://AzureADTokenExchangeUSGov",
  },
  {
    suffix: ".vault.azure.cn",
    authority: "https://login.partner.microsoftonline.cn",
    scope: "https://vault.azure.cn/.default",
    audience: "api://AzureADTokenExchangeChina",
  },
];
const VAULT = /^[a-z][a-z0-9-]{1,22}[a-z0-9]$/;

/** Where a vault is asked, and in which cloud: at one of Azure's own addresses, or a stand-in. @throws {StoreError} `address` */
export function vaultAddress(
  { vault_url }: Pick<AzureStore, "vault_url">,
  rules: Pick<OutgoingRules, "insecureOrigins">,
): { readonly url: URL; readonly cloud: AzureCloud } {
  const url = originOf(vault_url);
  if (isStandIn(url, rules)) return { url, cloud: PUBLIC };
  const cloud = CLOUDS.find(({ suffix }) => url.hostname.endsWith(suffix));
  if (!cloud || url.protocol !== "https:" || url.port !== "" || !VAULT.test(url.hostname.slice(0, -cloud.suffix.length))) throw new StoreError("address");
  return { url, cloud };
}
