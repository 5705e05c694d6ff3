import type { Action } from "../../contract/audit.ts";

/** A secret as an audit event names it. What a denied call asked for has no version, and an id only where it was asked for by that. */
export interface EventSecret {
  readonly id: string | null;
  readonly name: string | null;
  readonly scope: string | null;
  readonly version: number | null;
}

/** Who did it, from where. */
interface Actor {
  readonly org: string;
  readonly subject: string;
  readonly tokenId: string | null;
  readonly requestId: string;
  readonly ip: string | null;
  readonly userAgent: string | null;
}

/** An event to be written. */
export interface NewEvent {
  readonly actor: Actor;
  readonly action: Action;
  readonly outcome: "allowed" | "denied";
  readonly at: Date;
  /** What it was done to, where that is no secret: a token's id, a trust's name, a scope. */
  readonly target?: string | null;
  /** Its number comes after this one too: a restore has lost what had been numbered so far. */
  readonly after?: number;
}

/** What an event names, as the transaction that writes it finds it. */
export interface ComputedSecrets {
  /** Makes the SQL expression that gives the secrets as JSON, of the SQL for `parameter`. */
  readonly sql: (parameter: string) => string;
  readonly parameter: string;
  /** Makes an SQL condition of the SQL for the actor's organization and token: where it holds, no event is written. */
  readonly unless?: (actor: { readonly org: string; readonly tokenId: string }) => string;
}

/**
 * Inserts an audit event, numbered without gaps within its organization. `secrets` is what it names, or how the
 * database computes that in the same transaction. The statement returns the `secrets` that it wrote.
 */
export function insertEvent(db: D1Database, event: NewEvent, secrets: readonly EventSecret[] | ComputedSecrets): D1PreparedStatement {
  const computed: ComputedSecrets = "sql" in secrets ? secrets : { sql: (given) => given, parameter: JSON.stringify(secrets) };
  const { sql, parameter, unless = () => "false" } = computed;
  const { actor } = event;
  return db
    .prepare(
      `INSERT INTO audit_events (org, seq, at, actor, token_id, action, outcome, secrets, target, request_id, ip, user_agent)
       SELECT ?2, MAX(COALESCE((SELECT MAX(seq) FROM audit_events WHERE org = ?2), 0), ?12) + 1, ?3, ?4, ?5, ?6, ?7, (${sql("?1")}), ?8, ?9, ?10, ?11 WHERE NOT (${unless({ org: "?2", tokenId: "?5" })})
       RETURNING secrets`,
    )
    .bind(
      parameter,
      actor.org,
      event.at.getTime(),
      actor.subject,
      actor.tokenId,
      event.action,
      event.outcome,
      event.target ?? null,
      actor.requestId,
      actor.ip,
      actor.userAgent,
      event.after ?? 0,
    );
}
