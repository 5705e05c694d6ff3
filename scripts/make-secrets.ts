import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from "jose";

/** The three Worker secrets, fresh: a root key, a keyring with one key under it, and a signing key. All text. */
export interface WorkerSecrets {
  readonly ROOT_KEY: string;
  readonly KEYRING: string;
  readonly SIGNING_KEY: string;
}

/** Makes a new set of Worker secrets. */
export async function makeSecrets(): Promise<WorkerSecrets> {
  const rootBytes = newRootKey();
  const keyring = { current: "k1", keys: { k1: await newWrappedKey(rootBytes) } };
  return { ROOT_KEY: toBase64(rootBytes), KEYRING: JSON.stringify(keyring), SIGNING_KEY: JSON.stringify(await newSigningKey()) };
}

/** A new root key: 256 random bits. */
export function newRootKey(): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(32));
}

/** Worker secrets as lines of a `.dev.vars` file. */
export function secretLines(secrets: Partial<WorkerSecrets>): string {
  return Object.entries(secrets)
    .map(([name, value]) => `${name}='${value}'`)
    .join("\n");
}

/** A new 256-bit key, wrapped under the root key with AES-KW (RFC 3394), base64. */
export async function newWrappedKey(rootBytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const root = await crypto.subtle.importKey("raw", rootBytes, "AES-KW", false, ["wrapKey"]);
  const key = (await crypto.subtle.generateKey({ name: "AES-KW", length: 256 }, true, ["wrapKey", "unwrapKey"])) as CryptoKey;
  return toBase64(new Uint8Array(await crypto.subtle.wrapKey("raw", key, root, "AES-KW")));
}

async function newSigningKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  const jwk = await exportJWK(privateKey);
  return { ...jwk, kid: await calculateJwkThumbprint(jwk) };
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
