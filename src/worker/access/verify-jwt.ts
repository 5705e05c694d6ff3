import { errors, type JWTHeaderParameters, type JWTPayload, type JWTVerifyOptions, jwtVerify } from "jose";
import { fromBase64url } from "../../contract/base64url.ts";
import { MAX_TOKEN_LENGTH } from "../../contract/claims.ts";
import { IssuerError } from "./fetch-issuer-document.ts";
import { hasDuplicateKeys } from "./has-duplicate-keys.ts";
import { joseRefusal } from "./jose-refusal.ts";
import { RefusalError, type TokenRefusal } from "./refusal.ts";

/** A token is not acceptable. Why is for nobody to know but the log. */
export class TokenError extends RefusalError<TokenRefusal> {
  override readonly name = "TokenError";
}

/** Algorithms of other issuers' tokens: signatures only, with keys that are public (RFC 7518, section 3.1; RFC 8037). */
export const PUBLIC_KEY_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"] as const;

/** By how many seconds the clocks of other issuers may differ from ours. */
export const CLOCK_TOLERANCE = 60;
/** How many keys are tried on a token that does not say which one signed it. */
const TRIED_KEYS = 16;

/** Finds the key for a token by its header. */
export type FindKey = (header: JWTHeaderParameters) => CryptoKey | Promise<CryptoKey>;

/** What a token has to be. All of it is pinned here, and nothing is taken from the token. */
export interface JwtRules extends Required<Pick<JWTVerifyOptions, "algorithms" | "currentDate" | "requiredClaims">>, Pick<JWTVerifyOptions, "typ"> {
  readonly issuer: string;
  readonly audience: string;
  /** By how many seconds the clocks may differ. */
  readonly clockTolerance?: number;
}

/** A token that is not verified. Its claims are only to be used to choose whose rules it is verified by. */
export interface UnverifiedJwt {
  readonly token: string;
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

/**
 * Verifies a JWT in compact form (RFC 7519, section 7.2) and returns its claims.
 *
 * @throws {TokenError} when it is not acceptable.
 * @throws {IssuerError} when the key could not be fetched.
 */
export async function verifyJwt({ token, claims }: UnverifiedJwt, findKey: FindKey, rules: JwtRules): Promise<JWTPayload> {
  const refusal = readableRefusal(claims, rules);
  if (refusal) throw new TokenError(refusal);
  try {
    return await verifyWith(token, findKey, rules);
  } catch (error) {
    if (error instanceof IssuerError || error instanceof TokenError) throw error;
    throw new TokenError(joseRefusal(error), { cause: error });
  }
}

/** Verifies a signature. Where the token does not say which of several keys it was made with, those that fit are tried. */
async function verifyWith(token: string, findKey: FindKey, rules: JwtRules): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, findKey, rules)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    let tried = 0;
    for await (const key of error) {
      if (++tried > TRIED_KEYS) throw error;
      const payload = await verifyWithOne(token, key, rules);
      if (payload) return payload;
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

async function verifyWithOne(token: string, key: CryptoKey, rules: JwtRules): Promise<JWTPayload | undefined> {
  try {
    return (await jwtVerify(token, key, rules)).payload;
  } catch (error) {
    // Another one's signature, or a key that the platform does not verify with (of too few bits, say): the next one may do.
    if (error instanceof errors.JWSSignatureVerificationFailed || !(error instanceof errors.JOSEError)) return undefined;
    throw error;
  }
}

/**
 * What anybody can read in a token and see to be wrong, before its signature is looked at: so the time of a refusal tells
 * nothing of the signature. What is not refused here is still to be verified, claims included (RFC 7519, section 4.1).
 */
function readableRefusal(
  claims: UnverifiedJwt["claims"],
  { issuer, audience, currentDate, clockTolerance = 0, requiredClaims }: JwtRules,
): TokenRefusal | undefined {
  const now = Math.floor(currentDate.getTime() / 1000);
  const { iss, aud, exp, nbf } = claims;
  if (!requiredClaims.every((claim) => Object.hasOwn(claims, claim))) return "missing-claim";
  if (iss !== issuer) return "wrong-issuer";
  if (![aud].flat().includes(audience)) return "wrong-audience";
  if (typeof exp !== "number" || (nbf !== undefined && typeof nbf !== "number")) return "malformed-claim";
  if (exp <= now - clockTolerance) return "expired";
  return nbf !== undefined && nbf > now + clockTolerance ? "not-yet-valid" : undefined;
}

/**
 * Reads a token without verifying it.
 *
 * @throws {TokenError} when the token has not the form of a JWT, is too long, or repeats a member (RFC 7515, section 4).
 */
export function readJwt(token: string, maxLength = MAX_TOKEN_LENGTH): UnverifiedJwt {
  if (token.length > maxLength) throw new TokenError("too-long");
  const [header, payload, signature, ...rest] = token.split(".");
  if (header === undefined || payload === undefined || signature === undefined || rest.length > 0) throw new TokenError("not-a-jwt");
  const parsed = readObject(header);
  requireCanonical(signature);
  return { token, header: parsed, claims: readObject(payload) };
}

/** A signature that could be written in another way would make two tokens of one. */
function requireCanonical(part: string): void {
  try {
    fromBase64url(part);
  } catch {
    throw new TokenError("not-a-jwt");
  }
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function readObject(part: string): Record<string, unknown> {
  const [text, value] = parseJson(part);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new TokenError("not-a-jwt");
  if (hasDuplicateKeys(text, value)) throw new TokenError("repeated-member");
  return value as Record<string, unknown>;
}

function parseJson(part: string): [text: string, value: unknown] {
  try {
    const text = UTF8.decode(fromBase64url(part));
    return [text, JSON.parse(text)];
  } catch {
    // Not base64url, not UTF-8 or not JSON.
    throw new TokenError("not-a-jwt");
  }
}
