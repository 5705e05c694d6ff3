import { randomUUID } from "node:crypto";
import { importJWK, type JWK, SignJWT } from "jose";

/** What a token is to say. */
export interface TokenRequest {
  readonly org: string;
  readonly subject: string;
  readonly permissions: string;
  readonly scopes?: readonly string[] | undefined;
  readonly names?: readonly string[] | undefined;
  readonly services?: readonly string[] | undefined;
  /** Seconds. */
  readonly ttl: number;
  /** The lease that a resolve without `Cache-Control` asks for, in seconds. */
  readonly leaseSeconds?: number;
  readonly issuer: string;
  readonly audience: string;
}

/** Signs an access token (RFC 9068) with `SIGNING_KEY`: a private JWK, or a JWK Set whose first key signs. */
export async function signToken(signingKey: string, request: TokenRequest): Promise<string> {
  const parsed = JSON.parse(signingKey) as JWK & { keys?: JWK[] };
  const jwk = parsed.keys?.[0] ?? parsed;
  if (!jwk.kid) throw new Error("the signing key has no kid");
  const now = Math.floor(Date.now() / 1000);
  const { org, subject, permissions, scopes, names, services, ttl, leaseSeconds = 0, issuer, audience } = request;
  const lease = leaseSeconds > 0 && { lease_seconds: leaseSeconds };
  const limits = { ...(scopes && { secret_scopes: scopes }), ...(names && { secret_names: names }), ...(services && { services }) };
  return new SignJWT({ org, scope: permissions, ...limits, ...lease })
    .setProtectedHeader({ alg: "EdDSA", typ: "at+jwt", kid: jwk.kid })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(subject)
    .setIssuedAt(now)
    .setExpirationTime(now + ttl)
    .setJti(`tok_${randomUUID().replaceAll("-", "")}`)
    .sign(await importJWK(jwk, "EdDSA"));
}
