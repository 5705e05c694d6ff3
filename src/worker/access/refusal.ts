/** Why a token is refused: an access token, or an identity token that is to be exchanged. */
export const TOKEN_REFUSALS = [
  /** There is no `Authorization` header. */
  "no-token",
  /** The header is not `Bearer` and one token in compact form (RFC 6750, section 2.1). */
  "not-bearer",
  "too-long",
  /** It is not three parts of base64url, the first two of which are JSON objects. */
  "not-a-jwt",
  /** A member of the header or of the claims is there twice. */
  "repeated-member",
  /** No issuer of this name is trusted. */
  "unknown-issuer",
  /** It is of another issuer than the trust. */
  "wrong-issuer",
  "wrong-audience",
  "missing-claim",
  /** A claim is not of the form that it has to be. */
  "malformed-claim",
  "expired",
  "not-yet-valid",
  /** A header parameter is not of the form that it has to be, or is critical and not known (RFC 7515, section 4.1.11). */
  "malformed-header",
  "wrong-algorithm",
  /** The header's `typ` is that of another kind of JWT. */
  "wrong-type",
  /** No key of the issuer has its `kid`, or is for its algorithm. */
  "unknown-key",
  /** It names no key, and the issuer has more of them than are tried. */
  "ambiguous-key",
  /** The issuer's key is broken, too small, or no public key. */
  "unusable-key",
  "bad-signature",
  /** Another issuer's token is valid for longer than the deployment allows. */
  "lives-too-long",
  /** Another issuer's subject or token is called what only Keyhole's own are called. */
  "own-name",
  "revoked",
  /** It says that it has a row, and has none. */
  "no-row",
  /** Another issuer says that it is of the operator's own organization. */
  "platform-organization",
] as const;
export type TokenRefusal = (typeof TOKEN_REFUSALS)[number];

/** Why a good identity token is not exchanged. */
export const EXCHANGE_REFUSALS = [
  "unknown-trust",
  /** A claim does not match the trust's condition. */
  "claim-not-matched",
  /** A claim that the trust's scopes are filled from is missing, or is not the name of anything. */
  "template-not-filled",
  /** It asks for a permission that the trust does not give. */
  "scope-not-given",
  /** The token that made the trust has been revoked. */
  "trust-suspended",
  /** The trust was deleted or replaced while its issuer was being asked. */
  "trust-changed",
  /** It has been exchanged before, and the trust takes a token once. */
  "identity-used",
] as const;
export type ExchangeRefusal = (typeof EXCHANGE_REFUSALS)[number];

/** Why an issuer's configuration or keys cannot be had or used. */
export const ISSUER_REFUSALS = [
  /** Its address is not https with a public name. */
  "issuer-not-public",
  /** It failed just now, and is not asked again so soon: ten seconds when it could not be reached, else one. */
  "issuer-failed-before",
  /** It was asked for a key that it did not have within the last ten seconds, and is not asked again so soon. */
  "issuer-asked-before",
  "issuer-unreachable",
  "issuer-too-slow",
  /** It answered with a status of 500 or more, or 429. */
  "issuer-error",
  /** It answered with another status than 200; a redirect is one. */
  "issuer-wrong-status",
  "issuer-document-too-large",
  "issuer-document-not-json",
  /** It is JSON, and not what it should be. */
  "issuer-document-invalid",
  /** It is another issuer's configuration. */
  "issuer-document-of-another",
] as const;
export type IssuerRefusal = (typeof ISSUER_REFUSALS)[number];

/** Why somebody is not logged in. */
const LOGIN_REFUSALS = [
  /** There is no such login, or the token that made it has been revoked. */
  "unknown-login",
  /** The browser has not begun this login, or too long ago. */
  "login-not-begun",
  /** The provider says that it was refused there. */
  "login-denied",
  /** What came back is of another provider, or another login. */
  "login-mixed-up",
  /** The provider does not answer as one does (OpenID Connect Core 1.0, section 3.1.3), or not about this login. */
  "login-answer-invalid",
  /** The provider's addresses cannot be used. */
  "login-provider-unusable",
  /** The client's secret cannot be had, or is not for where it would go. */
  "login-secret-unavailable",
] as const;
export type LoginRefusal = (typeof LOGIN_REFUSALS)[number];

/** All reasons. */
export const REFUSALS: readonly string[] = [...TOKEN_REFUSALS, ...EXCHANGE_REFUSALS, ...ISSUER_REFUSALS, ...LOGIN_REFUSALS];

/** Why a caller was not let in. It is for the log and nobody else: a reply says the same whatever the reason. */
export type Refusal = TokenRefusal | ExchangeRefusal | IssuerRefusal | LoginRefusal;

/** A refusal, with its reason. Nothing of what was refused is in it. */
export abstract class RefusalError<R extends Refusal = Refusal> extends Error {
  constructor(
    readonly refusal: R,
    options?: ErrorOptions,
  ) {
    super(refusal, options);
  }
}

/** The reason of the refusal that an error is, or comes from. */
export function refusalOf(error: unknown): Refusal | undefined {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof RefusalError) return at.refusal;
  return undefined;
}
