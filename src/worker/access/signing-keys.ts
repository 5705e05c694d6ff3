import { calculateJwkThumbprint, exportJWK, importJWK, type JWK } from "jose";
import { type PrivateJwk, parseSigningKeyText, type RetiredJwk } from "../../contract/signing-key-text.ts";

/**
 * The keys of one Worker secret, which sign Keyhole's own tokens or its statements about the audit log. The first signs;
 * all verify. A retired one verifies statements only: no token that it signed is taken any more.
 */
export interface SigningKeys {
  readonly signer: { readonly kid: string; readonly key: CryptoKey };
  readonly verifiers: ReadonlyMap<string, CryptoKey>;
  readonly retired: ReadonlyMap<string, CryptoKey>;
  /** The public halves of those that verify tokens as a JWK Set (RFC 7517, section 5). */
  readonly jwks: { readonly keys: readonly JWK[] };
  /** The public halves of those that are retired. */
  readonly retiredJwks: readonly JWK[];
  /** Of the log's keys: whether no token's key verifies statements beside them. */
  readonly alone: boolean;
}

/** A Worker secret with signing keys is missing or malformed. The message shows none of it. */
export class SigningKeyError extends Error {
  override readonly name = "SigningKeyError";
}

/**
 * Imports `SIGNING_KEY` or `LOG_KEY`: one private Ed25519 JWK (RFC 8037), or a JWK Set of them, in which later ones may be
 * public halves with `"retired": true`. A key without a `kid` is known by its thumbprint (RFC 7638). Private keys are
 * imported non-extractable.
 *
 * @param secret The name of the Worker secret, for what is wrong with it.
 * @throws {SigningKeyError} when it is not of that form.
 */
export async function importSigningKeys(text: string | undefined, secret = "SIGNING_KEY"): Promise<SigningKeys> {
  if (!text) throw new SigningKeyError(`${secret} is not set`);
  const parsed = parseSigningKeyText(text);
  if (!parsed) throw new SigningKeyError(`${secret} is not a private Ed25519 JWK, nor a JWK Set of them`);
  const [first, ...others] = parsed.keys;
  const signer = await importPair(first, secret);
  const pairs = [signer, ...(await Promise.all(others.flatMap((jwk) => (jwk.retired ? [] : [importPair(jwk, secret)]))))];
  const retired = await Promise.all(others.flatMap((jwk) => (jwk.retired ? [importRetired(jwk, secret)] : [])));
  const kids = new Set([...pairs, ...retired].map(({ kid }) => kid));
  if (kids.size !== parsed.keys.length) throw new SigningKeyError(`${secret} holds two keys with one kid`);
  return {
    signer: { kid: signer.kid, key: signer.privateKey },
    verifiers: new Map(pairs.map(({ kid, publicKey }) => [kid, publicKey])),
    retired: new Map(retired.map(({ kid, publicKey }) => [kid, publicKey])),
    jwks: { keys: pairs.map(({ publicJwk }) => publicJwk) },
    retiredJwks: retired.map(({ publicJwk }) => publicJwk),
    alone: parsed.alone ?? false,
  };
}

async function importRetired({ kty, crv, x, kid: given }: RetiredJwk, secret: string) {
  const kid = given ?? (await calculateJwkThumbprint({ kty, crv, x }));
  try {
    const publicKey = await importJWK({ kty, crv, x }, "EdDSA", { extractable: true });
    if (!(publicKey instanceof CryptoKey)) throw new TypeError("not a key");
    return { kid, publicKey, publicJwk: await publicJwkOf(publicKey, kid) };
  } catch (cause) {
    throw new SigningKeyError(`${secret}: the retired key ${kid} is not a usable Ed25519 key`, { cause });
  }
}

async function importPair({ kty, crv, x, d, kid: given }: PrivateJwk, secret: string) {
  const kid = given ?? (await calculateJwkThumbprint({ kty, crv, x }));
  try {
    const [privateKey, publicKey] = await Promise.all([
      importJWK({ kty, crv, x, d }, "EdDSA", { extractable: false }),
      importJWK({ kty, crv, x }, "EdDSA", { extractable: true }),
    ]);
    if (!(privateKey instanceof CryptoKey && publicKey instanceof CryptoKey)) throw new TypeError("not a key");
    await proveThatTheyMatch(privateKey, publicKey);
    return { kid, privateKey, publicKey, publicJwk: await publicJwkOf(publicKey, kid) };
  } catch (cause) {
    throw new SigningKeyError(`${secret}: the key ${kid} is not a usable Ed25519 key pair`, { cause });
  }
}

async function publicJwkOf(publicKey: CryptoKey, kid: string): Promise<JWK> {
  return { ...(await exportJWK(publicKey)), kid, alg: "EdDSA", use: "sig" };
}

/** A public half that does not belong to its private half would sign tokens that nobody accepts. */
async function proveThatTheyMatch(privateKey: CryptoKey, publicKey: CryptoKey): Promise<void> {
  const text = new TextEncoder().encode("keyhole");
  const signature = await crypto.subtle.sign("Ed25519", privateKey, text);
  if (!(await crypto.subtle.verify("Ed25519", publicKey, signature, text))) throw new TypeError("the halves do not match");
}
