import type { OidcKeys } from "./oidc-keys.ts";

/** What makes a deployment an OpenID provider for its stores. */
export interface Provider {
  readonly keys: OidcKeys;
  /** Its own address, as others reach it. */
  readonly publicUrl: string;
}

/** The issuer of an organization's identity tokens: one of its own, so that a role can trust one organization and no other. */
export function storeIssuer(publicUrl: string, org: string): string {
  return `${publicUrl}/oidc/${org}`;
}

/** Whether an issuer is this deployment, for its stores: what that signs is shown to stores, and lets nobody in here, whoever trusts it. */
export function isStoreIssuer(provider: Pick<Provider, "publicUrl"> | null, issuer: unknown): boolean {
  return provider !== null && typeof issuer === "string" && issuer.toLowerCase().startsWith(`${provider.publicUrl}/oidc/`);
}
