import { SignJWT } from "jose";
import { MAX_TOKEN_LENGTH } from "../../contract/claims.ts";
import { limitClaims } from "../../contract/limits.ts";
import { Problem } from "../../contract/problem.ts";
import type { Grant } from "./caller.ts";
import type { SigningKeys } from "./signing-keys.ts";

/** What a new token is to say. */
export interface TokenContent extends Grant {
  readonly id: string;
  readonly org: string;
  readonly subject: string;
  /** What it is made from ({@link Lineage}). */
  readonly ancestors: readonly string[];
  /** Seconds. */
  readonly expiresIn: number;
  /** The lease that a resolve without `Cache-Control` asks for, in seconds; 0 for none. */
  readonly leaseSeconds: number;
}

/** What a deployment's tokens have in common. */
export interface Minting {
  readonly signingKeys: SigningKeys;
  readonly issuer: string;
  readonly audience: string;
  readonly now: Date;
}

/**
 * Signs an access token: an EdDSA JWT (RFC 8037) of the type `at+jwt` (RFC 9068).
 *
 * @throws {Problem} `invalid-request` when the token would be longer than a token may be.
 */
export async function mintToken({ signingKeys, issuer, audience, now }: Minting, content: TokenContent): Promise<string> {
  const { id, org, subject, ancestors, permissions, expiresIn, leaseSeconds } = content;
  const issuedAt = Math.floor(now.getTime() / 1000);
  const lease = leaseSeconds > 0 && { lease_seconds: leaseSeconds };
  const token = await new SignJWT({ org, scope: [...permissions].join(" "), anc: ancestors, ...limitClaims(content), ...lease })
    .setProtectedHeader({ alg: "EdDSA", typ: "at+jwt", kid: signingKeys.signer.kid })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(subject)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + expiresIn)
    .setJti(id)
    .sign(signingKeys.signer.key);
  if (token.length > MAX_TOKEN_LENGTH) throw new Problem("invalid-request", "The limits are too long for one token; use fewer or shorter patterns.");
  return token;
}
