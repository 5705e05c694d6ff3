import type { JWTPayload } from "jose";
import { claimsSchema } from "../../contract/claims.ts";
import { limitsOf } from "../../contract/limits.ts";
import { orgSchema } from "../../contract/org-name.ts";
import { parsePermissions } from "../../contract/permission.ts";
import { Problem } from "../../contract/problem.ts";
import type { Caller } from "./caller.ts";
import type { IssuerAccess } from "./fetch-issuer-document.ts";
import { foreignRefusal } from "./foreign-refusal.ts";
import { keysDue, remoteKeys } from "./issuer-keys.ts";
import { verifyOnce } from "./known-tokens.ts";
import type { TokenRefusal } from "./refusal.ts";
import type { SigningKeys } from "./signing-keys.ts";
import { isStoreIssuer } from "./store-issuer.ts";
import type { TrustedIssuer } from "./trusted-issuers.ts";
import { CLOCK_TOLERANCE, type FindKey, type JwtRules, readJwt, TokenError, verifyJwt } from "./verify-jwt.ts";

/** What a token must say, and the keys it may be signed with. */
export interface TokenRules extends IssuerAccess {
  readonly signingKeys: SigningKeys;
  readonly issuer: string;
  readonly audience: string;
  readonly trustedIssuers: readonly TrustedIssuer[];
  /** The operator's own organization, or `null` where there is none. */
  readonly platformOrg: string | null;
}

/** What a token says of its caller. */
export type TokenFacts = Omit<Caller, "require" | "refuse" | "requestId" | "ip" | "userAgent">;

/**
 * Verifies an access token: one of Keyhole's own (an EdDSA JWT of the type `at+jwt`, RFC 9068), or one of an issuer
 * that the deployment trusts.
 *
 * @throws {TokenError} when it is not acceptable.
 * @throws {IssuerError} when a trusted issuer's keys cannot be had.
 */
export function verifyToken(rules: TokenRules, token: string): Promise<TokenFacts> {
  return verifyOnce(rules, token, () => verifyAnew(rules, token));
}

async function verifyAnew(rules: TokenRules, token: string): Promise<TokenFacts> {
  const unverified = readJwt(token);
  const { iss } = unverified.claims;
  if (isStoreIssuer(rules.provider, iss)) throw new TokenError("unknown-issuer");
  if (iss === rules.issuer) return factsOf(await verifyJwt(unverified, ownKey(rules.signingKeys), ownRules(rules)), rules, undefined);
  const trusted = rules.trustedIssuers.find(({ issuer }) => issuer === iss);
  if (!trusted) throw new TokenError("unknown-issuer");
  const refusal = foreignRefusal(unverified, trusted, rules.now);
  if (refusal) throw new TokenError(refusal);
  return factsOf(await verifyJwt(unverified, remoteKeys(trusted, rules, "deployment"), trustedRules(rules, trusted)), rules, trusted);
}

function ownRules({ issuer, audience, now }: TokenRules): JwtRules {
  return {
    algorithms: ["EdDSA"],
    typ: "at+jwt",
    issuer,
    audience,
    currentDate: now,
    requiredClaims: ["iss", "aud", "exp", "iat", "sub", "org", "scope", "jti"],
  };
}

function trustedRules({ now }: TokenRules, { issuer, audience, algorithms }: TrustedIssuer): JwtRules {
  return {
    algorithms: [...algorithms],
    issuer,
    audience,
    currentDate: now,
    clockTolerance: CLOCK_TOLERANCE,
    requiredClaims: ["iss", "aud", "exp", "iat", "sub", "jti"],
  };
}

function ownKey({ verifiers }: SigningKeys): FindKey {
  return ({ kid }) => {
    const key = kid === undefined ? undefined : verifiers.get(kid);
    if (!key) throw new TokenError("unknown-key");
    return key;
  };
}

function factsOf(payload: JWTPayload, { platformOrg }: TokenRules, trusted: TrustedIssuer | undefined): TokenFacts {
  const parsed = claimsSchema.safeParse(trusted ? { scope: "", ...payload, org: orgOf(payload, trusted) } : payload);
  if (!parsed.success) throw new TokenError("malformed-claim", { cause: parsed.error });
  const { iss, sub, org, scope, jti, iat, exp, anc, lease_seconds = 0 } = parsed.data;
  // What is everybody's is written under Keyhole's own tokens, or those of an issuer that the deployment gave that organization: never because a claim says so.
  if (trusted?.orgClaim !== undefined && org === platformOrg) throw new TokenError("platform-organization");
  // Only what Keyhole signed says what it descends from.
  const ancestors = trusted ? null : (anc ?? null);
  return {
    org,
    subject: sub,
    tokenId: jti,
    lineage: { issuer: iss, subject: sub, reference: trusted ? JSON.stringify([iss, jti]) : jti, issuedAt: iat, ancestors },
    // A NumericDate may have a fraction (RFC 7519, section 2).
    expiresAt: Math.floor(exp * 1000),
    verifiedUntil: trusted ? keysDue(trusted) : null,
    // What another issuer calls by that name is its own affair.
    leaseSeconds: trusted ? 0 : lease_seconds,
    permissions: parsePermissions(scope),
    ...limitsOf(parsed.data),
  };
}

function orgOf(payload: JWTPayload, { org, orgClaim }: TrustedIssuer): string | undefined {
  return org ?? orgSchema.safeParse(orgClaim === undefined ? undefined : payload[orgClaim]).data;
}

/** The one answer to a token that is missing, wrong, expired or revoked (RFC 6750, section 3.1); which of it goes to the log. */
export function unauthenticated(refusal: TokenRefusal, cause?: unknown): Problem {
  return new Problem("unauthenticated", "Send a valid token: Authorization: Bearer <JWT>.", {
    headers: { "WWW-Authenticate": 'Bearer error="invalid_token"' },
    cause: new TokenError(refusal, { cause }),
  });
}
