import { auditCalls } from "./audit.ts";
import { backupCalls } from "./backup.ts";
import { type Keeping, keepingOf } from "./keeping.ts";
import { keyCalls } from "./keys.ts";
import { quotaCalls, usage } from "./quotas.ts";
import { type OnEmptyScopes, resolveCalls } from "./resolve.ts";
import { type RefOptions, resolveRefs } from "./resolve-refs.ts";
import { revocationCalls } from "./revocations.ts";
import { scopeCalls } from "./scopes.ts";
import { sealCalls } from "./seals.ts";
import { secretCalls } from "./secrets.ts";
import { type CallOptions, createSend } from "./send.ts";
import { serviceCalls } from "./services.ts";
import { storeCalls } from "./stores.ts";
import { type TokenProvider, tokenSource } from "./token-source.ts";
import { tokenCalls, whoami } from "./tokens.ts";
import { trustCalls } from "./trusts.ts";
import { webhookCalls } from "./webhooks.ts";

export type { AuditEvent, Checkpoint, VerifyReply } from "../contract/audit.ts";
export type { AcceptedRestorations, LostRange, RestorationsReply } from "../contract/audit-generation.ts";
export type { AnchorReply } from "../contract/audit-registry.ts";
export type { BackupPage, BackupReply, ComparedStores, FinishedRestore, ReconciledStores, RestoredPage } from "../contract/backup.ts";
export type { ImportReply } from "../contract/import.ts";
export type { KeysReply, RewrapReply } from "../contract/keys.ts";
export type { ProblemCode, ProblemMembers } from "../contract/problem.ts";
export type { QuotasBody, SomeQuotas, UsageBody } from "../contract/quota.ts";
export type { Explanation, LeaseReply, ResolveOneReply, ResolveReply, ResolveRequest } from "../contract/resolve.ts";
export type { ScopeSync } from "../contract/scope-sync.ts";
export type { ScopeBody } from "../contract/scope-tree.ts";
export type { SealedReply, UnsealedReply } from "../contract/seals.ts";
export type { SecretBody, SetSecretReply } from "../contract/secret.ts";
export type { ServiceBody } from "../contract/service.ts";
export type { StoreBody } from "../contract/store.ts";
export type { CreateTokenReply, TokenBody, Whoami } from "../contract/token.ts";
export type { ExchangeReply, TrustBody } from "../contract/trust.ts";
export type { WebhookBody } from "../contract/webhook.ts";
export type { AuditFilter, AuditPage, CheckpointPage, PageQuery } from "./audit.ts";
export { type ExchangeRequest, exchangeToken } from "./exchange-token.ts";
export { type ClientErrorCode, KeyholeError } from "./keyhole-error.ts";
export { type NarrowRequest, narrowToken } from "./narrow-token.ts";
export type { KeepingOptions, OnEmptyScopes, Where } from "./resolve.ts";
export type { CallOptions, Keeping, RefOptions, TokenProvider };

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

/**
 * A client of the Keyhole at `baseUrl`. Every call takes a `signal`, validates its reply, and throws a
 * {@link KeyholeError} with Keyhole's problem code.
 *
 * @throws {TypeError} when `baseUrl` is not an http or https address, or `maxAge` or `staleIfError` no whole seconds.
 */
export function createClient({ baseUrl, token, fetch = globalThis.fetch, retries = 3, timeout = 30_000, onEmptyScopes, ...keeping }: ClientOptions) {
  // A token that is rejected takes along what was kept under it: the next one may not be allowed as much.
  const source = tokenSource(token, () => resolving.refresh());
  const send = createSend({ baseUrl: parseBaseUrl(baseUrl), fetch, token: source, retries, timeout });
  const resolving = resolveCalls(send, keepingOf(keeping, {}), onEmptyScopes);
  return {
    secrets: secretCalls(send),
    ...resolving,
    /** A copy of a parsed configuration with values in place of its references: `{secret_key_ref: {store: NAME}}`, alone or beside other keys, and `${keyhole:NAME}` in a string. */
    resolveRefs: <T>(config: T, options?: RefOptions): Promise<T> => resolveRefs(resolving, config, options),
    tokens: tokenCalls(send),
    revocations: revocationCalls(send),
    trusts: trustCalls(send),
    services: serviceCalls(send),
    stores: storeCalls(send),
    webhooks: webhookCalls(send),
    scopes: scopeCalls(send),
    audit: auditCalls(send),
    keys: keyCalls(send),
    seals: sealCalls(send),
    quotas: quotaCalls(send),
    /** What the organization has, beside what it may have. */
    usage: (options?: CallOptions) => usage(send, options),
    backup: backupCalls(send),
    /** What the token is and may do. */
    whoami: (options?: CallOptions) => whoami(send, options),
  };
}

/** A client of one Keyhole. */
export type Client = ReturnType<typeof createClient>;

function parseBaseUrl(text: string): string {
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:") throw new TypeError("the address of a Keyhole is an http or https URL");
  if (url.username || url.password || url.search || url.hash) throw new TypeError("the address of a Keyhole has no user, query or fragment");
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}
