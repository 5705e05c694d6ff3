import { MAX_IDENTITY_LENGTH } from "../../contract/claims.ts";
import type { IssuerAccess } from "../access/fetch-issuer-document.ts";
import { issuerKeys, readKeys, remoteKeys } from "../access/issuer-keys.ts";
import { isStoreIssuer } from "../access/store-issuer.ts";
import { CLOCK_TOLERANCE, type FindKey, PUBLIC_KEY_ALGORITHMS, readJwt, TokenError, verifyJwt } from "../access/verify-jwt.ts";
import type { TrustRow } from "../store/trust-rows.ts";
import { ExchangeError } from "./exchange-error.ts";

/** What a verified identity token says. */
export interface Identity {
  readonly sub: string;
  /** Seconds since 1970. */
  readonly exp: number;
  readonly claims: Readonly<Record<string, unknown>>;
}

/**
 * Verifies an identity token (OpenID Connect Core 1.0, section 2): that the issuer which the trust names has made it, for
 * the trust's audience, and that it has not expired. What its other claims have to be is judged afterwards.
 *
 * @throws {ExchangeError} when it is not acceptable.
 * @throws {IssuerError} when the issuer's keys cannot be had.
 */
export async function verifyIdentity(access: IssuerAccess, trust: TrustRow, token: string): Promise<Identity> {
  try {
    const unverified = readJwt(token, MAX_IDENTITY_LENGTH);
    // Only a token that names the trust's issuer is worth asking the issuer for its keys.
    if (unverified.claims.iss !== trust.issuer || isStoreIssuer(access.provider, trust.issuer)) throw new TokenError("wrong-issuer");
    const claims = await verifyJwt(unverified, await keysOf(access, trust), {
      algorithms: [...PUBLIC_KEY_ALGORITHMS],
      issuer: trust.issuer,
      audience: trust.audience,
      currentDate: access.now,
      clockTolerance: CLOCK_TOLERANCE,
      requiredClaims: ["iss", "aud", "exp", "iat", "sub"],
    });
    const { sub, exp } = claims;
    if (typeof sub !== "string" || exp === undefined) throw new TokenError("malformed-claim");
    return { sub, exp, claims };
  } catch (error) {
    if (error instanceof TokenError) throw new ExchangeError(error.refusal, { cause: error });
    throw error;
  }
}

/** The issuer's keys: as the trust gives them, or from where it says, or found by its configuration. */
async function keysOf(access: IssuerAccess, { issuer, jwks, jwks_url }: TrustRow): Promise<FindKey> {
  if (jwks !== null) return readKeys(JSON.parse(jwks)).find;
  return jwks_url === null ? issuerKeys(issuer, access) : remoteKeys({ issuer, jwksUrl: jwks_url }, access, "trusts");
}
