import { env } from "cloudflare:workers";
import type { EventSecret } from "../../src/worker/audit/insert-event.ts";

/** An audit event, as far as most tests look at it. */
export interface RecordedEvent {
  readonly actor: string;
  readonly action: string;
  readonly outcome: string;
  readonly request_id: string;
  readonly target: string | null;
  readonly secrets: readonly EventSecret[];
}

/** The audit events of an organization, or those of one request, in their order. */
export async function eventsOf(org: string, requestId?: string | null): Promise<RecordedEvent[]> {
  const { results } = await env.DB.prepare(
    `SELECT actor, action, COALESCE(finer_outcome, outcome) AS outcome, request_id, target, secrets FROM audit_events
     WHERE org = ?1 AND (?2 IS NULL OR request_id = ?2) ORDER BY seq`,
  )
    .bind(org, requestId ?? null)
    .all<Omit<RecordedEvent, "secrets"> & { secrets: string }>();
  return results.map(({ secrets, ...event }) => ({ ...event, secrets: JSON.parse(secrets) }));
}
