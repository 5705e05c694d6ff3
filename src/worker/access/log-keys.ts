import type { JWK } from "jose";
import { SigningKeyError, type SigningKeys } from "./signing-keys.ts";

/** The keys behind what Keyhole states about its audit log. None of them verifies a token for being here. */
export interface LogKeys {
  /** The Worker secret that its signer is in. */
  readonly secret: "LOG_KEY" | "SIGNING_KEY";
  readonly signer: SigningKeys["signer"];
  readonly verifiers: ReadonlyMap<string, CryptoKey>;
  /** The public halves of those that verify as a JWK Set (RFC 7517, section 5). */
  readonly jwks: { readonly keys: readonly JWK[] };
}

/**
 * The keys of the log: those of `LOG_KEY`, and those of tokens as far as they vouch for what they signed when there was no
 * `LOG_KEY`. It says with `"alone": true` when they do not. A deployment without `LOG_KEY` has those of tokens only.
 *
 * @throws {SigningKeyError} when a key signs both, or two have one `kid`.
 */
export function logKeysOf(tokens: SigningKeys, log: SigningKeys | null): LogKeys {
  if (log === null) return { secret: "SIGNING_KEY", signer: tokens.signer, verifiers: new Map(verifiersOf(tokens)), jwks: { keys: jwksOf(tokens) } };
  requireApart(tokens, log);
  const others = log.alone ? [] : [tokens];
  const own = new Set(jwksOf(log).map(({ kid }) => kid));
  const keys = [...jwksOf(log), ...others.flatMap(jwksOf).filter(({ kid }) => !own.has(kid))];
  return { secret: "LOG_KEY", signer: log.signer, verifiers: new Map([...others.flatMap(verifiersOf), ...verifiersOf(log)]), jwks: { keys } };
}

/** A key that signs both would make a leak of the one a leak of the other. A retired one signs nothing. */
function requireApart(tokens: SigningKeys, log: SigningKeys): void {
  for (const { x, kid } of jwksOf(tokens)) {
    if (log.jwks.keys.some((key) => key.x === x)) throw new SigningKeyError(`LOG_KEY holds a key of SIGNING_KEY: ${kid}`);
    if (jwksOf(log).some((key) => key.kid === kid && key.x !== x)) throw new SigningKeyError(`LOG_KEY and SIGNING_KEY hold two keys with one kid: ${kid}`);
  }
}

function verifiersOf({ verifiers, retired }: SigningKeys): (readonly [string, CryptoKey])[] {
  return [...retired, ...verifiers];
}

function jwksOf({ jwks, retiredJwks }: SigningKeys): readonly JWK[] {
  return [...jwks.keys, ...retiredJwks];
}
