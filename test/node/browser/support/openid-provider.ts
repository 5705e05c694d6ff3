import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import Provider from "oidc-provider";

/** An OpenID provider that nobody here wrote, on loopback. */
export interface OpenIdProvider {
  readonly issuer: string;
  readonly clientId: string;
  readonly close: () => Promise<void>;
}

/**
 * Starts a provider with one client, which anybody may log in to as whoever they like; all of them are in the group `staff`.
 *
 * @param client Its secret, or `undefined` for one that proves itself by PKCE alone, and where people come back to.
 */
export async function startOpenIdProvider(client: { readonly secret: string | undefined; readonly callback: string }): Promise<OpenIdProvider> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clientId = "keyhole-console";
  const proof = client.secret === undefined ? { token_endpoint_auth_method: "none" as const } : { client_secret: client.secret };
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const provider = new Provider(issuer, {
    clients: [{ client_id: clientId, ...proof, redirect_uris: [client.callback], grant_types: ["authorization_code"], response_types: ["code"] }],
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), kid: "signer", use: "sig", alg: "RS256" }] },
    claims: { openid: ["sub", "groups"] },
    conformIdTokenClaims: false,
    cookies: { keys: ["for-the-tests"] },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, groups: ["staff"] }) }),
  });
  server.on("request", provider.callback());
  return {
    issuer,
    clientId,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
