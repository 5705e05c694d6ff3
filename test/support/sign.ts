import { env } from "cloudflare:workers";
import { importJWK, type JWK, type JWTPayload, SignJWT } from "jose";
import { PERMISSIONS } from "../../src/contract/permission.ts";

/** What a test's token says; what is left out is what a good token has. `undefined` takes a claim away. */
export type TokenClaims = JWTPayload & {
  org?: string;
  scope?: string;
  secret_scopes?: string[];
  secret_names?: string[];
  services?: string[];
  lease_seconds?: number;
};

/** Signs a token. `header` and `key` stand for what an attacker would change. */
export async function sign(
  claims: TokenClaims = {},
  { header = {}, key = env.SIGNING_KEY ?? "" }: { header?: Record<string, string>; key?: string } = {},
): Promise<string> {
  const jwk = JSON.parse(key) as JWK;
  const now = Math.floor(Date.now() / 1000);
  const good = {
    iss: "keyhole",
    aud: "keyhole",
    sub: "tester",
    org: "acme",
    scope: PERMISSIONS.join(" "),
    iat: now,
    exp: now + 3600,
    jti: `tok_${crypto.randomUUID()}`,
  };
  return new SignJWT({ ...good, ...claims })
    .setProtectedHeader({ alg: "EdDSA", typ: "at+jwt", kid: jwk.kid ?? "", ...header })
    .sign(await importJWK(jwk, "EdDSA"));
}
