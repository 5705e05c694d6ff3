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
  readonly outcome: "allowed" | "denied" | "failed";
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
  /** An SQL condition, of the SQL for a parameter: where it holds, no event is written. */
  readonly unless?: { readonly sql: (parameter: string) => string; readonly parameter: string } | undefined;
}

/**
 * Inserts an audit event, numbered without gaps within its organization. `secrets` is what it names, or how the
 * database computes that in the same transaction. The statement returns the `secrets` that it wrote.
 */
export function insertEvent(db: D1Database, event: NewEvent, secrets: readonly EventSecret[] | ComputedSecrets): D1PreparedStatement {
  const computed: ComputedSecrets = "sql" in secrets ? secrets : { sql: (given) => given, parameter: JSON.stringify(secrets) };
  const { sql, parameter, unless } = computed;
  const { actor } = event;
  const finer = event.outcome === "failed" ? event.outcome : null;
  return db
    .prepare(
      `INSERT INTO audit_events (org, seq, at, actor, token_id, action, outcome, secrets, target, request_id, ip, user_agent, version, finer_outcome)
       SELECT ?2, MAX(COALESCE((SELECT MAX(seq) FROM audit_events WHERE org = ?2), 0), ?14) + 1, ?3, ?4, ?5, ?6, ?7, (${sql("?1")}), ?8, ?9, ?10, ?11, ?12, ?13 WHERE NOT (${unless?.sql("?15") ?? "false"})
       RETURNING secrets`,
    )
    .bind(
      parameter,
      actor.org,
      event.at.getTime(),
      actor.subject,
      actor.tokenId,
      event.action,
      finer === null ? event.outcome : "denied",
      event.target ?? null,
      actor.requestId,
      actor.ip,
      actor.userAgent,
      // Whoever knows the first version only knows two outcomes.
      finer === null ? 1 : 2,
      finer,
      event.after ?? 0,
      ...(unless ? [unless.parameter] : []),
    );
}
