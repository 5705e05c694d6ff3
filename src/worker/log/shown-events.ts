import type { AuditEvent } from "../../contract/audit.ts";
import { isLimited } from "../../contract/limits.ts";
import { matchesAny } from "../../contract/pattern.ts";
import type { Caller } from "../access/caller.ts";
import type { EventFilter } from "../audit/read-events.ts";

/** Whether an event is one of those that are wanted. */
export function matches({ action, actor, secret_id, outcome, since, until }: EventFilter, event: AuditEvent): boolean {
  const at = Date.parse(event.at);
  return (
    (action === null || event.action === action) &&
    (actor === null || event.actor === actor) &&
    (outcome === null || event.outcome === outcome) &&
    (secret_id === null || event.secrets.some(({ id }) => id === secret_id)) &&
    (since === null || at >= since) &&
    (until === null || at < until)
  );
}

/** What of an event a caller sees: with limits, what happened to the secrets within them, and nothing else. */
export function visibleTo(caller: Caller, event: AuditEvent): AuditEvent[] {
  if (!isLimited(caller)) return [event];
  const { secretScopes, secretNames } = caller;
  const { secrets_total: _, ...rest } = event;
  const secrets = event.secrets.filter(
    ({ scope, name }) => scope !== null && name !== null && matchesAny(secretScopes, scope) && matchesAny(secretNames, name),
  );
  return secrets.length > 0 ? [{ ...rest, secrets }] : [];
}
