import type { Permission } from "../../contract/permissions.ts";
import type { CallOptions, PageQuery } from "./calls.ts";
import type { PermissionInput, ShownLimits, SomeLimits } from "./tokens.ts";

/** Which secret has the client's secret of a login. */
export interface LoginSecret {
  scope: string;
  name: string;
}

/** By which OpenID provider people log in, and what they may then. */
export interface PutLogin extends SomeLimits {
  /** The provider, exactly as its configuration names it. */
  issuer: string;
  /** What this deployment is called there. */
  client_id: string;
  /** Left out, the client has none and proves itself by PKCE alone. */
  client_secret?: LoginSecret | undefined;
  /** Scopes that are asked for beside `openid`. */
  scopes?: string[] | undefined;
  /** What the claims of a person must be; a trailing `*` matches any rest. */
  claims: Record<string, string>;
  permissions: PermissionInput[];
  /** Seconds that a session is valid at the most, 60 to 43,200; 43,200 unless told. */
  expires_in?: number | undefined;
}

/** A login, as it is shown. */
export interface LoginBody extends ShownLimits {
  name: string;
  issuer: string;
  client_id: string;
  client_secret: LoginSecret | null;
  scopes: string[];
  claims: Record<string, string>;
  permissions: Permission[];
  expires_in: number;
  /** What the provider has to have as the client's redirect URI. */
  callback: string;
  /** Whether the token that made it was revoked: nobody logs in by it until it is put once more. */
  suspended: boolean;
  created_at: string;
  created_by: string;
  updated_at: string;
  updated_by: string;
}

/** One page of logins. */
export interface LoginPage {
  logins: LoginBody[];
  next_cursor: string | null;
}

/** Logins of people by OpenID providers. */
export interface LoginCalls {
  /**
   * Makes or replaces a login.
   *
   * @example
   * const { callback } = await client.logins.put("google", {
   *   issuer: "https://accounts.google.com",
   *   client_id: "1234.apps.googleusercontent.com",
   *   client_secret: { scope: "global", name: "GOOGLE_CLIENT_SECRET" },
   *   claims: { hd: "acme.example" },
   *   permissions: ["secrets:read", "secrets:write"],
   * });
   */
  put(name: string, login: PutLogin, options?: CallOptions): Promise<LoginBody>;
  /**
   * One login.
   *
   * @example
   * const { callback } = await client.logins.get("google");
   */
  get(name: string, options?: CallOptions): Promise<LoginBody>;
  /**
   * One page of them, by name.
   *
   * @example
   * const { logins } = await client.logins.list();
   */
  list(query?: PageQuery, options?: CallOptions): Promise<LoginPage>;
  /**
   * All of them, page after page.
   *
   * @example
   * for await (const { name, issuer } of client.logins.listAll()) console.log(name, issuer);
   */
  listAll(options?: CallOptions): AsyncGenerator<LoginBody>;
  /**
   * Deletes a login and ends the sessions and tokens of who logged in by it.
   *
   * @example
   * await client.logins.delete("google");
   */
  delete(name: string, options?: CallOptions): Promise<void>;
}
