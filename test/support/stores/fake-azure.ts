import { AzureError } from "./azure-error.ts";
import { type EntraApp, giveToken } from "./fake-entra.ts";
import { type AzureSecret, answerVault } from "./fake-key-vault.ts";

/** A fake of a vault of Azure's and of the tenant whose Entra gives access to it. */
export interface FakeAzure {
  readonly vault: URL;
  readonly authority: URL;
  readonly tenant: string;
  readonly apps: Map<string, EntraApp>;
  /** Access tokens by the end of each, in milliseconds since 1970. */
  readonly tokens: Map<string, number>;
  /** By name in lower case. */
  readonly secrets: Map<string, AzureSecret>;
  /** Methods for which nobody has the permission. */
  readonly denied: Set<string>;
  /** `METHOD path` of each request to the vault with a token that it knows, and `token` for each that was given. */
  readonly asked: string[];
  /** Milliseconds since 1970. */
  now: () => number;
  readonly handle: (request: Request) => Promise<Response>;
}

/** Makes one without an app and a secret. */
export function fakeAzure(vault = "https://keyhole-test.vault.azure.net", authority = "https://login.microsoftonline.com"): FakeAzure {
  const azure: FakeAzure = {
    vault: new URL(vault),
    authority: new URL(authority),
    tenant: "11111111-2222-3333-4444-555555555555",
    apps: new Map(),
    tokens: new Map(),
    secrets: new Map(),
    denied: new Set(),
    asked: [],
    now: Date.now,
    handle: (request) => answer(azure, request),
  };
  return azure;
}

async function answer(azure: FakeAzure, request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  const tenant = `/${azure.tenant}`;
  try {
    if (pathname === `${tenant}/v2.0/.well-known/openid-configuration`) return Response.json(configuration(azure));
    if (pathname === `${tenant}/oauth2/v2.0/token`)
      return Response.json(await giveToken(azure, new URLSearchParams(new TextDecoder().decode(await request.arrayBuffer()))));
    return await answerVault(azure, request);
  } catch (error) {
    if (!(error instanceof AzureError)) throw error;
    return Response.json(error.body, { status: error.status, headers: error.headers });
  }
}

function configuration({ authority, tenant }: FakeAzure): object {
  const at = new URL(`/${tenant}`, authority).href;
  return {
    issuer: `${at}/v2.0`,
    token_endpoint: `${at}/oauth2/v2.0/token`,
    authorization_endpoint: `${at}/oauth2/v2.0/authorize`,
    jwks_uri: `${at}/discovery/v2.0/keys`,
    tenant_region_scope: "EU",
    cloud_instance_name: "microsoftonline.com",
  };
}
