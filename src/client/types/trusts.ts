import type { ACCESS_TOKEN_TYPE } from "../../contract/exchange.ts";
import type { Permission } from "../../contract/permissions.ts";
import type { CallOptions, PageQuery } from "./calls.ts";
import type { PermissionInput, ShownLimits, SomeLimits } from "./tokens.ts";

/** A public key of an issuer, a JWK (RFC 7517). */
export interface PublicJwk {
  kty: "RSA" | "EC" | "OKP";
  [member: string]: unknown;
}

/** How often an identity token is exchanged. */
export type Reuse = "until-expiry" | "once";

/** What an issuer's tokens must be, and what they are exchanged for. */
export interface PutTrust extends SomeLimits {
  /** The issuer, exactly as its tokens name it. Without `jwks_url` or `jwks` its keys are found by OpenID Connect Discovery. */
  issuer: string;
  jwks_url?: string | undefined;
  jwks?: { keys: PublicJwk[] } | undefined;
  /** What the identity token's `aud` must hold. Left out it is this deployment's own address. */
  audience?: string | undefined;
  /** What its claims must be; a trailing `*` matches any rest. */
  claims: Record<string, string>;
  permissions: PermissionInput[];
  /** Seconds that the exchanged token is valid, 60 to 86,400; 900 unless told. */
  expires_in?: number | undefined;
  /** Left out it is `once` for GitHub Actions, and else `until-expiry`. */
  reuse?: Reuse | undefined;
  lease_seconds?: number | undefined;
}

/** A trust in an OIDC issuer. */
export interface TrustBody extends ShownLimits {
  name: string;
  issuer: string;
  audience: string;
  claims: Record<string, string>;
  permissions: Permission[];
  expires_in: number;
  reuse: Reuse;
  jwks_url: string | null;
  jwks: { keys: Record<string, unknown>[] } | null;
  lease_seconds: number;
  /** Whether the token that made it was revoked: nothing is exchanged under it until it is put once more. */
  suspended: boolean;
  created_at: string;
  created_by: string;
  updated_at: string;
  updated_by: string;
}

/** One page of trusts. */
export interface TrustPage {
  trusts: TrustBody[];
  next_cursor: string | null;
}

/** What an exchange of an identity token would come to. */
export interface TrustTest {
  accepted: boolean;
  /** Why not, as the log and `refusals` say it. */
  refusal: string | null;
  /** Whether the token fulfils each condition; none are judged of one that is not good. */
  conditions: { claim: string; pattern: string; matched: boolean }[];
  /** What each template would become; `null` where a claim is missing or no name. */
  secret_scopes: { template: string; scope: string | null }[] | null;
}

/** Why identity tokens were refused, and how often. */
export interface TrustRefusal {
  reason: string;
  /** The condition or template that the token did not fulfil. */
  about: string | null;
  /** At least. */
  count: number;
  first_at: string;
  last_at: string;
}

/** What the token endpoint answers (RFC 8693, section 2.2.1). */
export interface ExchangeReply {
  access_token: string;
  issued_token_type: typeof ACCESS_TOKEN_TYPE;
  token_type: "Bearer";
  /** Seconds. */
  expires_in: number;
  /** Its permissions, space-separated. */
  scope: string;
}

/** Trusts in OIDC issuers. */
export interface TrustCalls {
  /**
   * Makes or replaces a trust.
   *
   * @example
   * await client.trusts.put("github", {
   *   issuer: "https://token.actions.githubusercontent.com",
   *   claims: { repository_owner: "acme", ref: "refs/heads/main" },
   *   permissions: ["secrets:resolve"],
   *   secret_scopes: ["repo:${repository}"],
   * });
   */
  put(name: string, trust: PutTrust, options?: CallOptions): Promise<TrustBody>;
  /**
   * One trust.
   *
   * @example
   * const { suspended } = await client.trusts.get("github");
   */
  get(name: string, options?: CallOptions): Promise<TrustBody>;
  /**
   * One page of them, by name.
   *
   * @example
   * const { trusts } = await client.trusts.list();
   */
  list(query?: PageQuery, options?: CallOptions): Promise<TrustPage>;
  /**
   * All of them, page after page.
   *
   * @example
   * for await (const { name, issuer } of client.trusts.listAll()) console.log(name, issuer);
   */
  listAll(options?: CallOptions): AsyncGenerator<TrustBody>;
  /**
   * Says what an exchange of an identity token would come to, and which condition fails. It is neither kept nor used up.
   *
   * @example
   * const { accepted, conditions } = await client.trusts.test("github", identityToken);
   */
  test(name: string, identityToken: string, options?: CallOptions): Promise<TrustTest>;
  /**
   * Why identity tokens were refused under a trust, the latest first.
   *
   * @example
   * for (const { reason, count } of await client.trusts.refusals("github")) console.log(reason, count);
   */
  refusals(name: string, options?: CallOptions): Promise<TrustRefusal[]>;
  /**
   * Deletes a trust and revokes the tokens that were exchanged under it.
   *
   * @example
   * await client.trusts.delete("github");
   */
  delete(name: string, options?: CallOptions): Promise<void>;
}
