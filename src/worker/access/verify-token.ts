import { errors, jwtVerify } from "jose";
import { type Claims, claimsSchema, MAX_TOKEN_LENGTH } from "../../contract/claims.ts";
import { parsePermissions } from "../../contract/permission.ts";
import { Problem } from "../../contract/problem.ts";
import type { Caller } from "./caller.ts";
import type { SigningKeys } from "./signing-keys.ts";

/** What a token of our own must say, and the keys it may be signed with. */
export interface TokenRules {
  readonly signingKeys: SigningKeys;
  readonly issuer: string;
  readonly audience: string;
  readonly now: Date;
}

/** What a token says of its caller. */
export type TokenFacts = Omit<Caller, "require" | "requestId" | "ip" | "userAgent">;

/**
 * Verifies one of Keyhole's own access tokens: an EdDSA JWT (RFC 7519, RFC 8037) of the type `at+jwt` (RFC 9068) from
 * a known key, for this issuer and audience, that has not expired.
 *
 * @throws {Problem} `unauthenticated`, the same whichever check failed.
 */
export async function verifyToken(rules: TokenRules, token: string): Promise<TokenFacts> {
  if (token.length > MAX_TOKEN_LENGTH) throw unauthenticated();
  const claims = await verifyClaims(rules, token);
  return {
    org: claims.org,
    subject: claims.sub,
    tokenId: claims.jti,
    expiresAt: claims.exp * 1000,
    permissions: parsePermissions(claims.scope),
    secretScopes: claims.secret_scopes ?? null,
    secretNames: claims.secret_names ?? null,
  };
}

async function verifyClaims({ signingKeys, issuer, audience, now }: TokenRules, token: string): Promise<Claims> {
  try {
    const { payload } = await jwtVerify(token, ({ kid }) => keyFor(signingKeys, kid), {
      algorithms: ["EdDSA"],
      typ: "at+jwt",
      issuer,
      audience,
      currentDate: now,
      requiredClaims: ["iss", "aud", "exp", "iat", "sub", "org", "scope", "jti"],
    });
    return claimsSchema.parse(payload);
  } catch (error) {
    if (error instanceof errors.JOSEError || (error instanceof Error && error.name === "ZodError")) throw unauthenticated(error);
    throw error;
  }
}

function keyFor({ verifiers }: SigningKeys, kid: string | undefined): CryptoKey {
  const key = kid === undefined ? undefined : verifiers.get(kid);
  if (!key) throw new errors.JWKSNoMatchingKey();
  return key;
}

/** The one answer to a token that is missing, wrong, expired or revoked (RFC 6750, section 3.1). */
export function unauthenticated(cause?: unknown): Problem {
  return new Problem("unauthenticated", "Send a valid token: Authorization: Bearer <JWT>.", {
    headers: { "WWW-Authenticate": 'Bearer error="invalid_token"' },
    cause,
  });
}
