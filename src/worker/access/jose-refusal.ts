import { errors } from "jose";
import type { TokenRefusal } from "./refusal.ts";

/** What the library's errors mean. Those of encryption and of its own fetching do not come up: a signature is checked, with a key that is given. */
const REASONS: Readonly<Record<errors.AnyJOSEError["code"], TokenRefusal>> = {
  ERR_JOSE_ALG_NOT_ALLOWED: "wrong-algorithm",
  ERR_JOSE_NOT_SUPPORTED: "malformed-header",
  ERR_JWE_DECRYPTION_FAILED: "not-a-jwt",
  ERR_JWE_INVALID: "not-a-jwt",
  ERR_JWK_INVALID: "unusable-key",
  ERR_JWKS_INVALID: "unusable-key",
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: "ambiguous-key",
  ERR_JWKS_NO_MATCHING_KEY: "unknown-key",
  ERR_JWKS_TIMEOUT: "unknown-key",
  ERR_JWS_INVALID: "malformed-header",
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: "bad-signature",
  ERR_JWT_CLAIM_VALIDATION_FAILED: "malformed-claim",
  ERR_JWT_EXPIRED: "expired",
  // The claims have been read as a JSON object: what is left is a payload that is not encoded (RFC 7797).
  ERR_JWT_INVALID: "malformed-header",
};

/** Why a token was refused, by what the library threw on verifying it. */
export function joseRefusal(error: unknown): TokenRefusal {
  // Not only the library's own errors: a key of an issuer that the platform does not import is a TypeError.
  if (!(error instanceof errors.JOSEError)) return "unusable-key";
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === "typ") return "wrong-type";
  return REASONS[error.code as errors.AnyJOSEError["code"]];
}
