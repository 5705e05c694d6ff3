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
  /** The lease that it opens, unless what it names may not be given again. */
  readonly lease?: OpenedLease | undefined;
}

/** A lease that an event opens. Times are milliseconds since 1970. */
export interface OpenedLease {
  readonly id: string;
  /** When it ends at the latest. */
  readonly until: number;
  readonly max_uses: number;
  /** Where the caller is, as far as the same may be given there again; of what comes to no lease the event has the address. */
  readonly ip: string | null;
}

/** What an event says of a lease, as its column has it: the lease that it opened, or how often one was used. */
export type StoredLease = Omit<OpenedLease, "ip"> | { readonly id: string; readonly uses: number; readonly final: boolean } | UnsettledLease;
/** A lease whose last count nobody wrote: it was used at least so often. */
type UnsettledLease = { readonly id: string; readonly max_uses: number; readonly uses: number };

/** What an event names, as the transaction that writes it finds it. */
export interface ComputedSecrets {
  /**
   * Makes the SQL for a SELECT of one row, of the SQL for `parameter`: the `secrets` as JSON, and by when a lease of them
   * has to end, as `lease_until`, `NULL` where nothing limits that.
   */
  readonly sql: (parameter: string) => string;
  readonly parameter: string;
  /** An SQL condition, of the SQL for a parameter: where it holds, no event is written. */
  readonly unless?: { readonly sql: (parameter: string) => string; readonly parameter: string } | undefined;
}

/** Secrets that are known before, for an event that is not always written. */
export function givenSecrets(secrets: readonly EventSecret[], unless?: ComputedSecrets["unless"]): ComputedSecrets {
  return { sql: (parameter) => `SELECT ${parameter} AS secrets, NULL AS lease_until`, parameter: JSON.stringify(secrets), unless };
}

// An empty list is what was refused as a whole, or nothing: that is not given again.
const LEASE_UNTIL = "MIN(?15 ->> 'until', COALESCE(lease_until, ?15 ->> 'until'))";
const LEASE = `CASE WHEN ?15 IS NOT NULL AND secrets <> '[]' AND ${LEASE_UNTIL} > ?3
  THEN json_object('id', ?15 ->> 'id', 'until', ${LEASE_UNTIL}, 'max_uses', ?15 ->> 'max_uses') END`;

/**
 * Inserts an audit event, numbered without gaps within its organization. `secrets` is what it names, or how the
 * database computes that in the same transaction. The statement returns the `secrets` and
 * the `lease` that it wrote.
 */
export function insertEvent(db: D1Database, event: NewEvent, secrets: readonly EventSecret[] | ComputedSecrets): D1PreparedStatement {
  const computed = "sql" in secrets ? secrets : givenSecrets(secrets);
  const { sql, parameter, unless } = computed;
  const { actor } = event;
  const finer = event.outcome === "failed" ? event.outcome : null;
  return db
    .prepare(
      `INSERT INTO audit_events (org, seq, at, actor, token_id, action, outcome, secrets, target, request_id, ip, user_agent, version, finer_outcome, lease)
       SELECT ?2, MAX(COALESCE((SELECT MAX(seq) FROM audit_events WHERE org = ?2), 0), ?14) + 1, ?3, ?4, ?5, ?6, ?7, secrets, ?8, ?9, CASE WHEN lease IS NULL THEN ?10 ELSE ?15 ->> 'ip' END, ?11, CASE WHEN lease IS NULL THEN ?12 ELSE 3 END, ?13, lease
       FROM (SELECT secrets, ${LEASE} AS lease FROM (${sql("?1")})) WHERE NOT (${unless?.sql("?16") ?? "false"})
       RETURNING secrets, lease`,
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
      event.lease ? JSON.stringify(event.lease) : null,
      ...(unless ? [unless.parameter] : []),
    );
}
