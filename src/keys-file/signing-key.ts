import { createHash, generateKeyPairSync } from "node:crypto";
import { type PrivateJwk, parseSigningKeyText, type RetiredJwk, type SigningKeyText } from "../contract/signing-key-text.ts";
import { KeysFileError } from "./keys-file-error.ts";
import type { WorkerSecrets } from "./worker-secrets.ts";

/** The Worker secrets that hold signing keys. */
export type SigningName = "SIGNING_KEY" | "LOG_KEY";

/** A new Ed25519 key as a private JWK (RFC 8037), known by its thumbprint. */
export function newSigningKey(): PrivateJwk {
  for (;;) {
    const { x = "", d = "" } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
    const jwk = { kty: "OKP", crv: "Ed25519", x, d } as const;
    const kid = kidOf(jwk);
    // A command line would take one that begins so for an option.
    if (!kid.startsWith("-")) return { ...jwk, kid };
  }
}

/** What a key is known by: its `kid`, or its thumbprint (RFC 7638). */
export function kidOf({ crv, kty, x, kid }: PrivateJwk | RetiredJwk): string {
  return kid ?? createHash("sha256").update(JSON.stringify({ crv, kty, x })).digest("base64url");
}

/** What is left of a key that signs no more. */
export function publicHalf(jwk: PrivateJwk | RetiredJwk): RetiredJwk {
  const { kty, crv, x } = jwk;
  return { kty, crv, x, kid: kidOf(jwk), retired: true };
}

/**
 * Reads signing keys.
 *
 * @throws {KeysFileError} when they are missing or not of their form.
 */
export function readSigningKeys(secrets: Partial<WorkerSecrets>, name: SigningName): SigningKeyText {
  const hint = "name the file that has it; a new deployment's comes from init";
  const text = secrets[name];
  if (!text) throw new KeysFileError(`${name} is not set`, name === "LOG_KEY" ? "rotate-signing --log makes the first one" : hint);
  const found = parseSigningKeyText(text);
  if (!found) throw new KeysFileError(`${name} is not a private Ed25519 JWK, nor a JWK Set of them`, hint);
  return found;
}
