import type { AuthorizationServer } from "oauth4webapi";
import * as z from "zod";
import { type IssuerAccess, IssuerError } from "../access/fetch-issuer-document.ts";
import { issuerConfiguration } from "../access/issuer-keys.ts";
import { OutgoingError } from "../outgoing/outgoing-error.ts";
import { type OutgoingRules, requirePublicOrigin } from "../outgoing/require-public-origin.ts";
import { LoginError } from "./login-error.ts";

/** How providers are reached. */
export interface ProviderAccess extends IssuerAccess {
  /** The deployment's own hosts: no provider is there. */
  readonly ownHosts: ReadonlySet<string>;
}

/** A provider as its configuration has it, with all that a login needs. */
export type LoginProvider = AuthorizationServer & { readonly authorization_endpoint: string; readonly token_endpoint: string };

const configurationSchema = z.object({
  issuer: z.string(),
  authorization_endpoint: z.url(),
  token_endpoint: z.url(),
  jwks_uri: z.url(),
  authorization_response_iss_parameter_supported: z.boolean().optional(),
  token_endpoint_auth_methods_supported: z.array(z.string()).optional(),
  id_token_signing_alg_values_supported: z.array(z.string()).optional(),
});

/**
 * A provider's addresses, by its configuration. None is of another kind than an address where anything may be asked: the browser goes to
 * one, and the client's secret to the other.
 *
 * @throws {LoginError} `login-provider-unusable`.
 * @throws {IssuerError} when the configuration cannot be had, or is another issuer's.
 */
export async function loginProvider(access: ProviderAccess, issuer: string): Promise<LoginProvider> {
  const read = configurationSchema.safeParse(await issuerConfiguration(issuer, access));
  if (!read.success) throw new IssuerError("issuer-document-invalid");
  for (const address of [read.data.authorization_endpoint, read.data.token_endpoint]) requireProviderAddress(access, new URL(address));
  return read.data as LoginProvider;
}

/** Where providers may be. */
export function providerRules({ insecureIssuers, ownHosts }: ProviderAccess): OutgoingRules {
  return { insecureOrigins: insecureIssuers, ownHosts };
}

function requireProviderAddress(access: ProviderAccess, url: URL): void {
  try {
    requirePublicOrigin(url, providerRules(access));
  } catch (error) {
    if (error instanceof OutgoingError) throw new LoginError("login-provider-unusable", { cause: error });
    throw error;
  }
}
