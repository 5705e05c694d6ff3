import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";
import { inject } from "vitest";

/** What the tests' issuer answers under a path. `delay` is in milliseconds. */
export interface Document {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly delay?: number;
}

/** Publishes a document at an address of the tests' issuer. */
export async function publish(address: string, document: Document): Promise<void> {
  await (await fetch(address, { method: "PUT", body: JSON.stringify(document) })).text();
}

/** How often an address of the tests' issuer has been asked for. */
export async function timesAsked(address: string): Promise<number> {
  return Number(await (await fetch(address, { method: "REPORT" })).text());
}

/** A key of an issuer. */
export interface IssuerKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

/** Makes a key pair. */
export async function makeKey(alg = "ES256", kid: string = crypto.randomUUID()): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true, ...(alg === "EdDSA" && { crv: "Ed25519" }) });
  return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } };
}

/** An OpenID provider of the test's own, on loopback. */
export interface Issuer {
  readonly url: string;
  readonly discoveryUrl: string;
  readonly jwksUrl: string;
  readonly key: IssuerKey;
  /** Publishes these keys from now on. */
  publishKeys(keys: readonly JWK[]): Promise<void>;
  /** Signs an identity token. `undefined` takes a claim or header parameter away. */
  sign(claims: JWTPayload, options?: { header?: Record<string, unknown>; key?: IssuerKey }): Promise<string>;
}

/** Starts an issuer: an address that no other test knows, a key, the discovery document and the JWK Set. */
export async function startIssuer(alg = "ES256"): Promise<Issuer> {
  const url = `${inject("issuer")}/${crypto.randomUUID()}`;
  const discoveryUrl = `${url}/.well-known/openid-configuration`;
  const jwksUrl = `${url}/jwks`;
  const key = await makeKey(alg);
  const publishKeys = (keys: readonly JWK[]) => publish(jwksUrl, { body: JSON.stringify({ keys }) });
  await publish(discoveryUrl, { body: JSON.stringify({ issuer: url, jwks_uri: jwksUrl }) });
  await publishKeys([key.publicJwk]);
  const sign: Issuer["sign"] = (claims, { header = {}, key: signer = key } = {}) =>
    new SignJWT(claims).setProtectedHeader({ alg: signer.alg, typ: "JWT", kid: signer.kid, ...header }).sign(signer.privateKey);
  return { url, discoveryUrl, jwksUrl, key, publishKeys, sign };
}
