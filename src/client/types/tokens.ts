import type { LimitFields } from "../../contract/limit-fields.ts";
import type { Permission } from "../../contract/permissions.ts";
import type { CallOptions, PageQuery } from "./calls.ts";

/** The limits of a token, each a list of patterns: one that is left out is none. */
export type SomeLimits = Partial<LimitFields<readonly string[] | undefined>>;

/** The limits of a grant, as replies show them: `null` is none. */
export interface ShownLimits {
  secret_scopes: string[] | null;
  secret_names: string[] | null;
  services: string[] | null;
}

/** A permission as requests may name it: `config_vars:resolve` means `secrets:resolve`. */
export type PermissionInput = Permission | "config_vars:resolve";

/** What a new token may do, and for how long. */
export interface CreateToken extends SomeLimits {
  /** Who will use it; the audit log names it. */
  label: string;
  permissions: PermissionInput[];
  /** Seconds, 60 to 31,536,000. */
  expires_in: number;
  /** The lease that a resolve without `Cache-Control` asks for, in seconds, 0 to 300. */
  lease_seconds?: number | undefined;
}

/** A token as lists show it: everything but the token itself, which is not stored. */
export interface TokenBody extends ShownLimits {
  id: string;
  label: string;
  permissions: Permission[];
  created_at: string;
  created_by: string;
  expires_at: string;
  lease_seconds: number;
  revoked_at: string | null;
}

/** A token that was minted, with the token itself. */
export interface CreateTokenReply extends TokenBody {
  /** It is shown this once. */
  token: string;
}

/** One page of tokens. */
export interface TokenPage {
  tokens: TokenBody[];
  next_cursor: string | null;
}

/** What a token is and may do. */
export interface Whoami extends ShownLimits {
  org: string;
  sub: string;
  token_id: string | null;
  permissions: Permission[];
  expires_at: string | null;
  lease_seconds: number;
}

/** Tokens for pipelines and gateways. */
export interface TokenCalls {
  /**
   * Mints a token, which is shown this once. Never retried.
   *
   * @example
   * const { id, token } = await client.tokens.create({ label: "ci-api", permissions: ["secrets:resolve"], secret_scopes: ["repo:acme/api"], expires_in: 3600 });
   */
  create(token: CreateToken, options?: CallOptions): Promise<CreateTokenReply>;
  /**
   * One page of the tokens that were minted.
   *
   * @example
   * const { tokens } = await client.tokens.list({ limit: 20 });
   */
  list(query?: PageQuery, options?: CallOptions): Promise<TokenPage>;
  /**
   * All of them, page after page.
   *
   * @example
   * for await (const { id, label } of client.tokens.listAll()) console.log(id, label);
   */
  listAll(options?: CallOptions): AsyncGenerator<TokenBody>;
  /**
   * Revokes a token, from the next request on.
   *
   * @example
   * await client.tokens.revoke("tok_1f0c2b7a9d3e4f5a8b6c7d8e9f0a1b2c");
   */
  revoke(id: string, options?: CallOptions): Promise<void>;
}
