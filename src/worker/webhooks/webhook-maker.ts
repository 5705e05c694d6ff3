import { matchesAny, type Pattern } from "../../contract/pattern.ts";
import type { Permission } from "../../contract/permission.ts";
import type { WebhookDefinition } from "../../contract/webhook.ts";
import { WEBHOOK_EVENTS, type WebhookEvent } from "../../contract/webhook-events.ts";
import type { Caller } from "../access/caller.ts";
import { coversLimits } from "../access/covers.ts";
import type { TokenMarks } from "../store/revocation-rows.ts";
import { tokenMarks } from "../transaction/token-standing.ts";

/** What a webhook remembers of the token that made it: what that may read, and what takes it out of force; `null` for a caller without a token. */
export interface WebhookMaker {
  readonly marks: TokenMarks | null;
  readonly permissions: readonly Permission[];
  readonly secret_scopes: readonly Pattern[] | null;
  readonly secret_names: readonly Pattern[] | null;
}

/**
 * Refuses whoever may not read what a webhook tells of: it gives nothing that its maker lacks.
 *
 * @throws {Problem} `forbidden`.
 */
export function requireEvents(caller: Caller, { events }: Pick<WebhookDefinition, "events">): void {
  caller.require("webhooks:write");
  for (const event of events) caller.require(WEBHOOK_EVENTS[event]);
}

/**
 * Refuses whoever may not read all that a webhook tells of: what its messages are signed with is theirs alone.
 *
 * @throws {Problem} `forbidden`.
 */
export function requireAllOf(caller: Caller, { definition, maker }: Told & { readonly definition: Pick<WebhookDefinition, "events"> }): void {
  requireEvents(caller, definition);
  const { secret_scopes: secretScopes, secret_names: secretNames } = maker;
  if (!coversLimits(caller, { secretScopes, secretNames, services: [] }))
    throw caller.refuse("webhooks:write", "The token's grant does not cover all secrets that the webhook tells of.");
}

/** What a webhook remembers of its maker. That its token expires is of no matter; that it is revoked ends the webhook. */
export function makerOf(caller: Caller): WebhookMaker {
  const marks = tokenMarks(caller);
  const permissions = [...new Set(Object.values(WEBHOOK_EVENTS))].filter((permission) => caller.permissions.has(permission));
  return { marks: marks && { ...marks, has_row: false }, permissions, secret_scopes: caller.secretScopes, secret_names: caller.secretNames };
}

/** Whether a webhook's maker may read of an event. */
export function mayRead({ permissions }: WebhookMaker, event: WebhookEvent): boolean {
  return permissions.includes(WEBHOOK_EVENTS[event]);
}

/** Whether its grant covers a secret. */
export function covers({ secret_scopes, secret_names }: WebhookMaker, scope: string, name: string): boolean {
  return matchesAny(secret_scopes, scope) && matchesAny(secret_names, name);
}

/** A webhook, as far as it says who is told of what. */
interface Told {
  readonly definition: Pick<WebhookDefinition, "url">;
  readonly maker: WebhookMaker;
}

/** Whether what was found for one webhook may be told by the other: they have one address, and their makers may read the same. */
export function isToldTheSame(one: Told, other: Told): boolean {
  const grantOf = ({ permissions, secret_scopes, secret_names }: WebhookMaker) => JSON.stringify([permissions, secret_scopes, secret_names]);
  return one.definition.url === other.definition.url && grantOf(one.maker) === grantOf(other.maker);
}
