import { calculatePKCECodeChallenge, generateRandomCodeVerifier, generateRandomNonce, generateRandomState } from "oauth4webapi";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { type FindNeeds, findLogin } from "./find-login.ts";
import { loginProvider, type ProviderAccess } from "./login-provider.ts";
import { LOGIN_TIME, sealLoginState } from "./login-state.ts";

/** What beginning a login needs. */
export type BeginNeeds = FindNeeds & ProviderAccess;

/** By which login somebody logs in, and to which page of the console that leads. */
export interface WantedLogin {
  readonly org: string;
  readonly login: string;
  readonly page: string;
}

/** A login that was begun: where the browser goes, and what it keeps until it comes back. */
export interface BegunLogin {
  readonly location: string;
  readonly sealed: string;
}

/**
 * Begins a login (OpenID Connect Core 1.0, section 3.1.2.1): the authorization code flow with PKCE, a state and a nonce, all of them new.
 *
 * @param callbackOf The redirect URI of a login.
 * @throws {LoginError} `unknown-login`, `login-provider-unusable`.
 * @throws {IssuerError} when the provider's configuration cannot be had.
 * @throws {Problem} `integrity-failed`, `storage-unavailable`.
 */
export async function beginLogin(needs: BeginNeeds, wanted: WantedLogin, callbackOf: (org: string, login: string) => string): Promise<BegunLogin> {
  const { row, client } = await findLogin(needs, wanted.org, wanted.login);
  const provider = await loginProvider(needs, row.issuer);
  const [state, nonce, verifier] = [generateRandomState(), generateRandomNonce(), generateRandomCodeVerifier()];
  const location = new URL(provider.authorization_endpoint);
  const asked = {
    client_id: row.audience,
    redirect_uri: callbackOf(row.org, row.name),
    response_type: "code",
    scope: ["openid", ...client.scopes].join(" "),
    state,
    nonce,
    code_challenge: await calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  };
  for (const [name, value] of Object.entries(asked)) location.searchParams.set(name, value);
  const { keyring, now } = await allowSealing(needs);
  const begun = { ...wanted, revision: row.revision, state, nonce, verifier, expiresAt: now.getTime() + LOGIN_TIME };
  return { location: location.href, sealed: await sealLoginState(keyring, begun) };
}
