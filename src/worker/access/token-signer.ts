import type { JWK } from "jose";
import { readJwt, TokenError } from "./verify-jwt.ts";
import type { TokenRules } from "./verify-token.ts";

/** What decides whose signatures are taken. */
export type SignerRules = Pick<TokenRules, "signingKeys" | "issuer" | "audience" | "trustedIssuers">;

/**
 * By what a token that was verified was believed: Keyhole's own key, by its public half, or the other issuer with all that the deployment
 * says of it.
 *
 * @throws {TokenError} for a token that these rules do not take.
 */
export function signerOf(rules: SignerRules, token: string): string {
  const { header, claims } = readJwt(token);
  if (claims.iss === rules.issuer) {
    const key = rules.signingKeys.jwks.keys.find(({ kid }) => kid === header.kid);
    if (key) return ownSigner(rules, key);
  } else {
    const trusted = rules.trustedIssuers.find(({ issuer }) => issuer === claims.iss);
    if (trusted) return JSON.stringify(trusted);
  }
  throw new TokenError("unknown-key");
}

/** Whether what a signer signed is taken still. */
export function takesSigner(rules: SignerRules, signer: string): boolean {
  return (
    rules.signingKeys.jwks.keys.some((key) => ownSigner(rules, key) === signer) || rules.trustedIssuers.some((trusted) => JSON.stringify(trusted) === signer)
  );
}

/** By the key itself: another one can have the same `kid`. */
function ownSigner({ issuer, audience }: SignerRules, { x }: JWK): string {
  return JSON.stringify([issuer, audience, x]);
}
