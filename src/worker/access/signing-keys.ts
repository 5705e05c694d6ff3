import { calculateJwkThumbprint, exportJWK, importJWK, type JWK } from "jose";
import * as z from "zod";

/**
 * The keys behind Keyhole's own tokens and its statements about the audit log. The first signs; all verify. A retired one
 * verifies statements only: no token that it signed is taken any more.
 */
export interface SigningKeys {
  readonly signer: { readonly kid: string; readonly key: CryptoKey };
  readonly verifiers: ReadonlyMap<string, CryptoKey>;
  readonly retired: ReadonlyMap<string, CryptoKey>;
  /** The public halves of those that verify tokens as a JWK Set (RFC 7517, section 5). */
  readonly jwks: { readonly keys: readonly JWK[] };
}

/** The Worker secret `SIGNING_KEY` is missing or malformed. The message shows none of it. */
export class SigningKeyError extends Error {
  override readonly name = "SigningKeyError";
}

const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
const jwkShape = {
  kty: z.literal("OKP"),
  crv: z.literal("Ed25519"),
  x: coordinate,
  kid: z.string().min(1).max(128).optional(),
};
const privateJwkSchema = z.looseObject({ ...jwkShape, d: coordinate, retired: z.literal(false).optional() });
const retiredJwkSchema = z.looseObject({ ...jwkShape, d: z.undefined().optional(), retired: z.literal(true) });
const secretSchema = z.union([
  z.looseObject({ keys: z.tuple([privateJwkSchema], z.union([privateJwkSchema, retiredJwkSchema])) }),
  privateJwkSchema.transform((jwk) => ({ keys: [jwk] as const })),
]);

/**
 * Imports `SIGNING_KEY`: one private Ed25519 JWK (RFC 8037), or a JWK Set of them, in which later ones may be public
 * halves with `"retired": true`. A key without a `kid` is known by its thumbprint (RFC 7638). Private keys are imported
 * non-extractable.
 *
 * @throws {SigningKeyError} when it is not of that form.
 */
export async function importSigningKeys(text: string | undefined): Promise<SigningKeys> {
  if (!text) throw new SigningKeyError("SIGNING_KEY is not set");
  const parsed = secretSchema.safeParse(parseJson(text));
  if (!parsed.success) throw new SigningKeyError("SIGNING_KEY is not a private Ed25519 JWK, nor a JWK Set of them");
  const [first, ...others] = parsed.data.keys;
  const signer = await importPair(first);
  const pairs = [signer, ...(await Promise.all(others.filter((jwk) => jwk.d !== undefined).map(importPair)))];
  const retired = await Promise.all(others.filter((jwk) => jwk.d === undefined).map(importRetired));
  const kids = new Set([...pairs, ...retired].map(({ kid }) => kid));
  if (kids.size !== parsed.data.keys.length) throw new SigningKeyError("SIGNING_KEY holds two keys with one kid");
  return {
    signer: { kid: signer.kid, key: signer.privateKey },
    verifiers: new Map(pairs.map(({ kid, publicKey }) => [kid, publicKey])),
    retired: new Map(retired.map(({ kid, publicKey }) => [kid, publicKey])),
    jwks: { keys: pairs.map(({ publicJwk }) => publicJwk) },
  };
}

async function importRetired({ kty, crv, x, kid: given }: z.infer<typeof retiredJwkSchema>) {
  const kid = given ?? (await calculateJwkThumbprint({ kty, crv, x }));
  try {
    const publicKey = await importJWK({ kty, crv, x }, "EdDSA");
    if (!(publicKey instanceof CryptoKey)) throw new TypeError("not a key");
    return { kid, publicKey };
  } catch (cause) {
    throw new SigningKeyError(`SIGNING_KEY: the retired key ${kid} is not a usable Ed25519 key`, { cause });
  }
}

async function importPair({ kty, crv, x, d, kid: given }: z.infer<typeof privateJwkSchema>) {
  const kid = given ?? (await calculateJwkThumbprint({ kty, crv, x }));
  try {
    const [privateKey, publicKey] = await Promise.all([
      importJWK({ kty, crv, x, d }, "EdDSA", { extractable: false }),
      importJWK({ kty, crv, x }, "EdDSA", { extractable: true }),
    ]);
    if (!(privateKey instanceof CryptoKey && publicKey instanceof CryptoKey)) throw new TypeError("not a key");
    await proveThatTheyMatch(privateKey, publicKey);
    const publicJwk: JWK = { ...(await exportJWK(publicKey)), kid, alg: "EdDSA", use: "sig" };
    return { kid, privateKey, publicKey, publicJwk };
  } catch (cause) {
    throw new SigningKeyError(`SIGNING_KEY: the key ${kid} is not a usable Ed25519 key pair`, { cause });
  }
}

/** A public half that does not belong to its private half would sign tokens that nobody accepts. */
async function proveThatTheyMatch(privateKey: CryptoKey, publicKey: CryptoKey): Promise<void> {
  const text = new TextEncoder().encode("keyhole");
  const signature = await crypto.subtle.sign("Ed25519", privateKey, text);
  if (!(await crypto.subtle.verify("Ed25519", publicKey, signature, text))) throw new TypeError("the halves do not match");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
