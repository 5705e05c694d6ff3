import { type JWTHeaderParameters, type JWTPayload, type JWTVerifyOptions, jwtVerify } from "jose";
import { fromBase64url } from "../../contract/base64url.ts";
import { MAX_TOKEN_LENGTH } from "../../contract/claims.ts";
import { IssuerError } from "./fetch-issuer-document.ts";
import { hasDuplicateKeys } from "./has-duplicate-keys.ts";

/** A token is not acceptable. What is wrong with it is for nobody to know but the log. */
export class TokenError extends Error {
  override readonly name = "TokenError";
}

/** Algorithms of other issuers' tokens: signatures only, with keys that are public (RFC 7518, section 3.1; RFC 8037). */
export const PUBLIC_KEY_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"] as const;

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
  readonly claims: Readonly<Record<string, unknown>>;
}

/**
 * Verifies a JWT in compact form (RFC 7519, section 7.2) and returns its claims.
 *
 * @throws {TokenError} when it is not acceptable, whatever the reason.
 * @throws {IssuerError} when the key could not be fetched.
 */
export async function verifyJwt({ token, claims }: UnverifiedJwt, findKey: FindKey, rules: JwtRules): Promise<JWTPayload> {
  refuseReadable(claims, rules);
  try {
    const { payload } = await jwtVerify(token, findKey, rules);
    return payload;
  } catch (error) {
    if (error instanceof IssuerError || error instanceof TokenError) throw error;
    // Not only the library's own errors: an issuer's key that the platform does not import is a TypeError.
    throw new TokenError("the token does not verify", { cause: error });
  }
}

/**
 * Refuses what anybody can read in a token, before its signature is looked at: so the time of a refusal tells nothing of the
 * signature. What is not refused here is still to be verified, claims included.
 *
 * @throws {TokenError} when a claim is missing, or not what the rules want (RFC 7519, section 4.1).
 */
function refuseReadable(claims: UnverifiedJwt["claims"], { issuer, audience, currentDate, clockTolerance = 0, requiredClaims }: JwtRules): void {
  const now = Math.floor(currentDate.getTime() / 1000);
  const { iss, aud, exp, nbf } = claims;
  const holds =
    requiredClaims.every((claim) => Object.hasOwn(claims, claim)) &&
    iss === issuer &&
    [aud].flat().includes(audience) &&
    typeof exp === "number" &&
    exp > now - clockTolerance &&
    (nbf === undefined || (typeof nbf === "number" && nbf <= now + clockTolerance));
  if (!holds) throw new TokenError("a claim is not what it must be");
}

/**
 * Reads a token without verifying it.
 *
 * @throws {TokenError} when the token has not the form of a JWT, is too long, or repeats a member (RFC 7515, section 4).
 */
export function readJwt(token: string): UnverifiedJwt {
  if (token.length > MAX_TOKEN_LENGTH) throw new TokenError("the token is too long");
  const [header, payload, signature, ...rest] = token.split(".");
  if (header === undefined || payload === undefined || signature === undefined || rest.length > 0) throw new TokenError("not a JWT");
  readObject(header);
  requireCanonical(signature);
  return { token, claims: readObject(payload) };
}

/** A signature that could be written in another way would make two tokens of one. */
function requireCanonical(part: string): void {
  try {
    fromBase64url(part);
  } catch {
    throw new TokenError("a part of the token is not base64url");
  }
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function readObject(part: string): Record<string, unknown> {
  try {
    const text = UTF8.decode(fromBase64url(part));
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value) && !hasDuplicateKeys(text, value)) return value as Record<string, unknown>;
  } catch {
    // Not base64url, not UTF-8, not JSON: refused below like what is not an object.
  }
  throw new TokenError("a part of the token is not a JSON object");
}
