import { createHash } from "node:crypto";
import { type OidcKeyText, type PrivateRsaJwk, type PublicRsaJwk, parseOidcKeyText } from "../contract/oidc-key-text.ts";
import { KeysFileError } from "./keys-file-error.ts";
import type { WorkerSecrets } from "./worker-secrets.ts";

/** A new RSA key of 2048 bits as a private JWK (RFC 7518, section 6.3), known by its thumbprint. */
export async function newOidcKey(): Promise<PrivateRsaJwk> {
  const algorithm = { name: "RSASSA-PKCS1-v1_5", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" };
  const { privateKey } = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const { n = "", e = "", d = "", p = "", q = "", dp = "", dq = "", qi = "" } = await crypto.subtle.exportKey("jwk", privateKey);
  const jwk = { kty: "RSA", n, e, d, p, q, dp, dq, qi } as const;
  return { ...jwk, kid: rsaKidOf(jwk) };
}

/** What a key is known by: its `kid`, or its thumbprint (RFC 7638). */
export function rsaKidOf({ e, kty, n, kid }: PrivateRsaJwk | PublicRsaJwk): string {
  return kid ?? createHash("sha256").update(JSON.stringify({ e, kty, n })).digest("base64url");
}

/**
 * Reads `OIDC_KEY`; `undefined` where there is none.
 *
 * @throws {KeysFileError} when it is not of its form.
 */
export function readOidcKey({ OIDC_KEY }: Partial<WorkerSecrets>): OidcKeyText | undefined {
  if (!OIDC_KEY) return undefined;
  const found = parseOidcKeyText(OIDC_KEY);
  if (!found) throw new KeysFileError("OIDC_KEY is not a private RSA JWK, nor a JWK Set of them", "take the line out, and rotate-oidc makes another one");
  return found;
}
