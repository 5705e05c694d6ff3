import type { TokenRefusal } from "./refusal.ts";
import { isType, type TrustedIssuer } from "./trusted-issuers.ts";
import { CLOCK_TOLERANCE, type UnverifiedJwt } from "./verify-jwt.ts";

/** What an issuer that does not say so exactly may call its access tokens: nothing, or one of these (RFC 7519, section 5.1; RFC 9068). */
const USUAL_TYPES = ["JWT", "at+jwt"];
/** How Keyhole's own subjects are called, and its tokens: nobody else's are shown by such a name. */
const OWN_SUBJECT = /^(?:developer$|(?:token|trust|login|binding|keyhole):)/;
const OWN_ID = /^tok_/;

/**
 * What anybody can read in another issuer's token by which it is none that a deployment takes: it is of another kind, it
 * lives for longer than is allowed, or it calls itself what only Keyhole's own are called. Like what a token's rules find,
 * it is looked at before the signature.
 */
export function foreignRefusal({ header, claims }: UnverifiedJwt, { typ, maxTtlSeconds }: TrustedIssuer, now: Date): TokenRefusal | undefined {
  if (!hasType(header.typ, typ) || isOfAnotherKind(claims)) return "wrong-type";
  const { sub, jti, iat, exp } = claims;
  if ((typeof sub === "string" && OWN_SUBJECT.test(sub)) || (typeof jti === "string" && OWN_ID.test(jti))) return "own-name";
  if (typeof iat !== "number" || typeof exp !== "number") return undefined;
  const seconds = now.getTime() / 1000;
  // One from the future would live for longer than it says, and not end with what was issued before now.
  if (iat > seconds + CLOCK_TOLERANCE) return "not-yet-valid";
  return exp - iat > maxTtlSeconds ? "lives-too-long" : undefined;
}

function hasType(typ: unknown, pinned: string | undefined): boolean {
  if (pinned !== undefined) return typeof typ === "string" && isType(typ, pinned);
  return typ === undefined || (typeof typ === "string" && USUAL_TYPES.some((usual) => isType(typ, usual)));
}

/** Whether it is an identity token by what no access token has: a hash of one (OpenID Connect Core 1.0, section 3.3.2.11), or what Keycloak and Cognito say. */
function isOfAnotherKind(claims: UnverifiedJwt["claims"]): boolean {
  return Object.hasOwn(claims, "at_hash") || Object.hasOwn(claims, "c_hash") || claims.typ === "ID" || claims.token_use === "id";
}
