import type { StoreDefinition, StoreOf } from "../../contract/store.ts";

/** The port that Vaults have, beside 443. */
export const VAULT_PORT = 8200;

/** The part of AWS's hosts that is a partition's: https://docs.aws.amazon.com/general/latest/gr/rande.html */
function awsDomain(region: string): string {
  return region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
}

/** Where a region's Secrets Manager is, or where the store says. */
function secretsManagerOf({ region, endpoint }: Pick<StoreOf<"aws-secrets-manager">, "region" | "endpoint">): string {
  return endpoint ?? `https://secretsmanager.${region}.${awsDomain(region)}`;
}

/** Where a region's Security Token Service is. */
function stsOf({ region }: Pick<StoreOf<"aws-secrets-manager">, "region">): string {
  return `https://sts.${region}.${awsDomain(region)}`;
}

/** The clouds of Azure: the last labels of a Key Vault's host, and where Entra is. */
const AZURE: Readonly<Record<string, string>> = {
  "vault.azure.net": "https://login.microsoftonline.com",
  "vault.azure.cn": "https://login.partner.microsoftonline.cn",
  "vault.usgovcloudapi.net": "https://login.microsoftonline.us",
};

/** Where Entra is that knows a Key Vault; `undefined` for what is no Key Vault's host. */
export function entraOf({ vault_url }: Pick<StoreOf<"azure-key-vault">, "vault_url">): string | undefined {
  const [, name = "", cloud = ""] = /^([a-z0-9-]{3,24})\.(.+)$/.exec(new URL(vault_url).hostname) ?? [];
  return name === "" ? undefined : AZURE[cloud];
}

/** Every origin to which a store's credentials go, or what is got for them. */
export function originsOf(definition: StoreDefinition): string[] {
  switch (definition.kind) {
    case "aws-secrets-manager":
      return [secretsManagerOf(definition), ...(definition.role_arn === undefined ? [] : [stsOf(definition)])];
    case "azure-key-vault":
      return [definition.vault_url, entraOf(definition) ?? definition.vault_url];
    case "vault":
      return [definition.address];
  }
}
