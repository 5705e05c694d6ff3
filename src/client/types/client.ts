import type { AuditCalls } from "./audit.ts";
import type { BackupCalls } from "./backup.ts";
import type { CallOptions, TokenProvider } from "./calls.ts";
import type { Keeping } from "./keeping.ts";
import type { LoginCalls } from "./logins.ts";
import type { KeyCalls, QuotaCalls, SealCalls, UsageBody } from "./operator.ts";
import type { OnEmptyScopes, RefOptions, ResolveCalls } from "./resolve.ts";
import type { RevocationCalls } from "./revocations.ts";
import type { ScopeCalls } from "./scopes.ts";
import type { SecretCalls } from "./secrets.ts";
import type { ServiceCalls } from "./services.ts";
import type { StoreCalls } from "./stores.ts";
import type { TokenCalls, Whoami } from "./tokens.ts";
import type { TrustCalls } from "./trusts.ts";
import type { WebhookCalls } from "./webhooks.ts";

/** How to reach a Keyhole, and for how long `resolve`, `resolveOne` and `resolveRefs` keep what they got. Nothing else is kept. */
export interface ClientOptions extends Keeping {
  /** The address of the service, as in `https://keyhole.example`. */
  readonly baseUrl: string;
  /** The token, or a function that gives one. It is asked once, and once more when its token is answered 401. */
  readonly token: TokenProvider;
  /** What to use in place of the runtime's own `fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** How often a request that may be repeated is, after 429, 502 and above, and lost connections. 3 unless told. */
  readonly retries?: number | undefined;
  /** Milliseconds that one attempt may take with its reply; `audit.stream` until its reply begins. 30,000 unless told. */
  readonly timeout?: number | undefined;
  /** Told, before a resolve that the service answered returns, which of its scopes nobody has declared or used: most likely they are misspelled. */
  readonly onEmptyScopes?: OnEmptyScopes | undefined;
}

/** A client of one Keyhole. Every call takes a `signal`, checks its reply, and throws a `KeyholeError` with Keyhole's problem code. */
export interface Client extends ResolveCalls {
  /** Secrets: what people write, and what may be read of it. */
  readonly secrets: SecretCalls;
  /**
   * A copy of a parsed configuration with values in place of its references: `{secret_key_ref: {store: NAME}}`, alone or beside other
   * keys, and `${keyhole:NAME}` in a string.
   *
   * @throws {TypeError} for something that begins as a reference and is none: filling it in by halves would hide a mistake.
   * @example
   * const config = await client.resolveRefs({ headers: { Authorization: "Bearer ${keyhole:API_KEY}" } }, { scopes: ["namespace:prod"] });
   */
  resolveRefs<T>(config: T, options?: RefOptions): Promise<T>;
  /** Tokens for pipelines and gateways. */
  readonly tokens: TokenCalls;
  /** Revocations by id, subject or time. */
  readonly revocations: RevocationCalls;
  /** Trusts in OIDC issuers. */
  readonly trusts: TrustCalls;
  /** Logins of people by OpenID providers. */
  readonly logins: LoginCalls;
  /** APIs that are used without holding the credential. */
  readonly services: ServiceCalls;
  /** Places outside where values live. */
  readonly stores: StoreCalls;
  /** Who is told of what happens. */
  readonly webhooks: WebhookCalls;
  /** The tree of scopes. */
  readonly scopes: ScopeCalls;
  /** The audit log. */
  readonly audit: AuditCalls;
  /** The keyring. */
  readonly keys: KeyCalls;
  /** Rows without a seal of their own. */
  readonly seals: SealCalls;
  /** What organizations may have. */
  readonly quotas: QuotaCalls;
  /**
   * What the organization has, beside what it may have.
   *
   * @example
   * const { used, limit } = (await client.usage()).usage.secrets;
   */
  usage(options?: CallOptions): Promise<UsageBody>;
  /** Backups of the whole deployment, for its operator. */
  readonly backup: BackupCalls;
  /**
   * What the token is and may do.
   *
   * @example
   * const { org, permissions } = await client.whoami();
   */
  whoami(options?: CallOptions): Promise<Whoami>;
}
