import { auditCalls } from "./audit.ts";
import { backupCalls } from "./backup.ts";
import { keepingOf } from "./keeping.ts";
import { keyCalls } from "./keys.ts";
import { loginCalls } from "./logins.ts";
import { quotaCalls, usage } from "./quotas.ts";
import { resolveCalls } from "./resolve.ts";
import { resolveRefs } from "./resolve-refs.ts";
import { revocationCalls } from "./revocations.ts";
import { scopeCalls } from "./scopes.ts";
import { sealCalls } from "./seals.ts";
import { secretCalls } from "./secrets.ts";
import { createSend } from "./send.ts";
import { serviceCalls } from "./services.ts";
import { storeCalls } from "./stores.ts";
import { tokenSource } from "./token-source.ts";
import { tokenCalls, whoami } from "./tokens.ts";
import { trustCalls } from "./trusts.ts";
import type { Client, ClientOptions } from "./types/client.ts";
import { webhookCalls } from "./webhooks.ts";

export type { Doubt, Skippable } from "../contract/doubts.ts";
export type { LeftOut, LeftOutReason } from "../contract/left-out.ts";
export type { LimitField, LimitFields, LimitName } from "../contract/limit-fields.ts";
export type { Permission } from "../contract/permissions.ts";
export type { PresetName } from "../contract/preset-names.ts";
export type { ProblemBody, ProblemCode, ProblemError, ProblemMembers } from "../contract/problems.ts";
export type { Quota } from "../contract/quota-names.ts";
export type { ScopeKind } from "../contract/scope-kinds.ts";
export type { Unavailable, UnavailableReason } from "../contract/unavailable-reasons.ts";
export type { WebhookEvent } from "../contract/webhook-events.ts";
export { type ExchangeRequest, exchangeToken } from "./exchange-token.ts";
export { type ClientErrorCode, KeyholeError, type KeyholeErrorOptions } from "./keyhole-error.ts";
export { type NarrowRequest, narrowToken } from "./narrow-token.ts";
export type * from "./types/audit.ts";
export type * from "./types/backup.ts";
export type * from "./types/calls.ts";
export type * from "./types/client.ts";
export type * from "./types/keeping.ts";
export type * from "./types/logins.ts";
export type * from "./types/operator.ts";
export type * from "./types/resolve.ts";
export type * from "./types/revocations.ts";
export type * from "./types/scopes.ts";
export type * from "./types/secrets.ts";
export type * from "./types/services.ts";
export type * from "./types/stores.ts";
export type * from "./types/tokens.ts";
export type * from "./types/trusts.ts";
export type * from "./types/webhooks.ts";

/**
 * A client of the Keyhole at `baseUrl`.
 *
 * @throws {TypeError} when `baseUrl` is not an http or https address, or `maxAge` or `staleIfError` no whole seconds.
 * @example
 * const client = createClient({ baseUrl: "https://keyhole.example", token: process.env.KEYHOLE_TOKEN });
 * const { value } = await client.resolveOne("OPENAI_API_KEY", { scopes: ["namespace:prod"] });
 */
export function createClient({ baseUrl, token, fetch = globalThis.fetch, retries = 3, timeout = 30_000, onEmptyScopes, ...keeping }: ClientOptions): Client {
  // A token that is rejected takes along what was kept under it: the next one may not be allowed as much.
  const source = tokenSource(token, () => resolving.refresh());
  const send = createSend({ baseUrl: parseBaseUrl(baseUrl), fetch, token: source, retries, timeout });
  const resolving = resolveCalls(send, keepingOf(keeping, {}), onEmptyScopes);
  return {
    secrets: secretCalls(send),
    ...resolving,
    resolveRefs: (config, options) => resolveRefs(resolving, config, options),
    tokens: tokenCalls(send),
    revocations: revocationCalls(send),
    trusts: trustCalls(send),
    logins: loginCalls(send),
    services: serviceCalls(send),
    stores: storeCalls(send),
    webhooks: webhookCalls(send),
    scopes: scopeCalls(send),
    audit: auditCalls(send),
    keys: keyCalls(send),
    seals: sealCalls(send),
    quotas: quotaCalls(send),
    usage: (options) => usage(send, options),
    backup: backupCalls(send),
    whoami: (options) => whoami(send, options),
  };
}

function parseBaseUrl(text: string): string {
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:") throw new TypeError("the address of a Keyhole is an http or https URL");
  if (url.username || url.password || url.search || url.hash) throw new TypeError("the address of a Keyhole has no user, query or fragment");
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}
