import { calculateJwkThumbprint, importJWK, type JWK } from "jose";
import { type OidcKeyText, type PrivateRsaJwk, parseOidcKeyText } from "../../contract/oidc-key-text.ts";

/** The keys of the identity tokens that stores are asked with. None of them verifies anything here. */
export interface OidcKeys {
  readonly signer: { readonly kid: string; readonly key: CryptoKey };
  /** Their public halves as a JWK Set (RFC 7517, section 5). */
  readonly jwks: { readonly keys: readonly JWK[] };
}

/** `OIDC_KEY` is malformed. The message shows none of it. */
class OidcKeyError extends Error {
  override readonly name = "OidcKeyError";
}

/**
 * Imports `OIDC_KEY`: one private RSA JWK (RFC 7518, section 6.3), or a JWK Set of them, whose first one signs. They are of their
 * own kind and used for nothing else: the clouds take RS256 and no EdDSA, and Entra no ES256 either. Private keys are imported non-extractable.
 *
 * @throws {OidcKeyError} when it is not of that form.
 */
export async function importOidcKeys(text: string): Promise<OidcKeys> {
  const parsed = parseOidcKeyText(text);
  if (!parsed) throw new OidcKeyError("OIDC_KEY is not a private RSA JWK of 2048 bits or more, nor a JWK Set of them");
  const published = await Promise.all(parsed.keys.map(publicJwkOf));
  if (new Set(published.map(({ kid }) => kid)).size !== published.length) throw new OidcKeyError("OIDC_KEY holds two keys with one kid");
  const [first] = parsed.keys;
  return { signer: { kid: published[0]?.kid ?? "", key: await importSigner(first, published[0] ?? {}) }, jwks: { keys: published } };
}

async function publicJwkOf({ n, e, kid: given }: OidcKeyText["keys"][number]): Promise<JWK & { readonly kid: string }> {
  const kid = given ?? (await calculateJwkThumbprint({ kty: "RSA", n, e }));
  return { kty: "RSA", n, e, kid, alg: "RS256", use: "sig" };
}

/** A public half that does not belong to its private half would sign tokens that nobody accepts. */
async function importSigner({ kty, n, e, d, p, q, dp, dq, qi }: PrivateRsaJwk, published: JWK): Promise<CryptoKey> {
  try {
    const [key, publicKey] = await Promise.all([
      importJWK({ kty, n, e, d, p, q, dp, dq, qi }, "RS256", { extractable: false }),
      importJWK(published, "RS256", { extractable: false }),
    ]);
    if (!(key instanceof CryptoKey && publicKey instanceof CryptoKey)) throw new TypeError("not a key");
    const text = new TextEncoder().encode("keyhole");
    const signature = await crypto.subtle.sign("RSASSA-PKCS1-v1_5", key, text);
    if (!(await crypto.subtle.verify("RSASSA-PKCS1-v1_5", publicKey, signature, text))) throw new TypeError("the halves do not match");
    return key;
  } catch (cause) {
    throw new OidcKeyError("OIDC_KEY: its first key is not a usable RSA key pair", { cause });
  }
}
