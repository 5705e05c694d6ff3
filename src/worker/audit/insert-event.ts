import { type Action, type LeaseCalls, MAX_BRIEF, type Outcome } from "../../contract/audit.ts";

/** A secret as an audit event names it. What a denied call asked for has no version, and an id only where it was asked for by that. */
export interface EventSecret {
  readonly id: string | null;
  readonly name: string | null;
  readonly scope: string | null;
  readonly version: number | null;
}

/** Who did it, from where. A caller is one. */
interface Actor {
  readonly org: string;
  readonly subject: string;
  readonly tokenId: string | null;
  /** Where the token comes from; `null` for what came without one. */
  readonly lineage: { readonly issuer: string } | null;
  readonly requestId: string;
  readonly ip: string | null;
  readonly userAgent: string | null;
}

/** An event to be written. */
export interface NewEvent {
  readonly actor: Actor;
  readonly action: Action;
  readonly outcome: Outcome;
  readonly at: Date;
  /** What it was done to, where that is no secret: a token's id, a trust's name, a scope. */
  readonly target?: string | null;
  /** Its number comes after this one too: a restore has lost what had been numbered so far. */
  readonly after?: number;
  /** The lease that it opens, unless what it names may not be given again. */
  readonly lease?: OpenedLease | undefined;
  /** Whether nothing was done: then, as where it was denied, it names some of its secrets and says how many there are. */
  readonly dryRun?: boolean;
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
export type StoredLease = Omit<OpenedLease, "ip"> | CountedLease | UnsettledLease;
/** How often a lease was used so far; of a service also what was asked of it. */
type CountedLease = { readonly id: string; readonly uses: number; readonly final: boolean; readonly calls?: LeaseCalls };
/** A lease whose last count nobody wrote: it was used at least so often. */
type UnsettledLease = { readonly id: string; readonly max_uses: number; readonly uses: number };

/** What an event names, as the transaction that writes it finds it. */
export interface ComputedSecrets {
  /**
   * Makes the SQL for a SELECT of one row, of the SQL for `parameter`: the `secrets` as JSON; by when a lease of them has to
   * end, as `lease_until`, `NULL` where nothing limits that; and as `absent` what was asked for instead and is not there,
   * as JSON and in at most as many bytes as `room` says, `NULL` where the event is about `secrets`. Then the event is
   * `not-found`, `absent_total` is how many those are, and `refused` is 1 where that refuses the call. No row: no event.
   */
  readonly sql: (parameter: string, room: string) => string;
  readonly parameter: string;
  /** An SQL condition, of the SQL for a parameter, and of `absent` and `refused`: where it holds, no event is written. */
  readonly unless?: { readonly sql: (parameter: string) => string; readonly parameter: string } | undefined;
}

/** Secrets that are known before. */
interface GivenSecrets {
  readonly given: readonly EventSecret[];
  readonly unless?: ComputedSecrets["unless"];
}

/** Secrets that are known before, for an event that is not always written. */
export function givenSecrets(given: readonly EventSecret[], unless?: ComputedSecrets["unless"]): GivenSecrets {
  return { given, unless };
}

// An empty list is what was refused as a whole, or nothing: that is not given again.
const LEASE_UNTIL = "MIN(?15 ->> 'until', COALESCE(lease_until, ?15 ->> 'until'))";
const LEASE = `CASE WHEN ?15 IS NOT NULL AND secrets <> '[]' AND ${LEASE_UNTIL} > ?3
  THEN json_object('id', ?15 ->> 'id', 'until', ${LEASE_UNTIL}, 'max_uses', ?15 ->> 'max_uses') END`;

/** Of which version events are that are written now. */
export const EVENT_VERSION = 6;
/** How long an event is in D1, in bytes: with a longer list of secrets that is beside it. */
const EVENT_BYTES = 4096;
/** How long the list of an event is at the most of which nothing was done, in bytes. */
const BRIEF_BYTES = 2560;
/** SQL for how long it may be, of what is left of the event. */
const BRIEF_ROOM = `MIN(?16, ${BRIEF_BYTES})`;
/** For what of an event has a bounded length: numbers, the action and the outcome. */
const FIXED_BYTES = 128;

/** How many secrets there are, where the event does not name them all, or has them beside it. */
const TOTAL = `CASE WHEN absent IS NOT NULL THEN IIF(json_array_length(absent) < absent_total, absent_total, NULL)
  ELSE COALESCE(?17, CASE WHEN length(CAST(secrets AS BLOB)) > ?16 THEN json_array_length(secrets) END) END`;

/** How many bytes of an event are left for its secrets. */
function roomIn({ actor, target, lease }: NewEvent): number {
  const { org, subject, tokenId, lineage, requestId, ip, userAgent } = actor;
  const texts = [org, subject, tokenId, lineage?.issuer, requestId, ip, userAgent, target, lease && JSON.stringify(lease)];
  return EVENT_BYTES - FIXED_BYTES - sizeOf(texts.join(""));
}

function sizeOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** The first secrets of an event of which nothing was done. */
function firstOf(secrets: readonly EventSecret[], room: number): readonly EventSecret[] {
  let size = 2;
  const end = secrets.slice(0, MAX_BRIEF).findIndex((secret) => {
    size += sizeOf(JSON.stringify(secret)) + 1;
    return size > Math.min(room, BRIEF_BYTES);
  });
  return secrets.slice(0, end === -1 ? MAX_BRIEF : end);
}

/**
 * Inserts an audit event, numbered without gaps within its organization. `secrets` is what it names, or how the
 * database computes that in the same transaction. The statement returns the `seq`, the
 * `secrets`, the `lease` and the `finer_outcome` that it wrote. What would make the event longer than 4 KiB is in `audit_lists` then.
 */
export function insertEvent(db: D1Database, event: NewEvent, secrets: readonly EventSecret[] | GivenSecrets | ComputedSecrets): D1PreparedStatement {
  const room = roomIn(event);
  const { sql, parameter, unless, total } =
    "sql" in secrets ? { ...secrets, total: null } : computedOf(event, "given" in secrets ? secrets : givenSecrets(secrets), room);
  const { actor } = event;
  const finer = event.outcome === "allowed" || event.outcome === "denied" ? null : event.outcome;
  return db
    .prepare(
      `INSERT INTO audit_entries (org, seq, at, actor, token_id, issuer, action, outcome, secrets, target, request_id, ip, user_agent, version, finer_outcome, lease, secrets_total)
       SELECT ?2, MAX(COALESCE((SELECT MAX(seq) FROM audit_events WHERE org = ?2), 0), ?14) + 1, ?3, ?4, ?5, ?12, ?6,
         CASE WHEN absent IS NULL THEN ?7 WHEN refused THEN 'denied' ELSE 'allowed' END, COALESCE(absent, secrets), ?8, ?9,
         CASE WHEN lease IS NULL THEN ?10 ELSE ?15 ->> 'ip' END, ?11, ${EVENT_VERSION}, CASE WHEN absent IS NULL THEN ?13 ELSE 'not-found' END, lease, total
       FROM (SELECT secrets, absent, refused, ${LEASE} AS lease, ${TOTAL} AS total FROM (${sql("?1", BRIEF_ROOM)}))
       WHERE NOT (${unless?.sql("?18") ?? "false"})
       RETURNING seq, secrets, lease, finer_outcome`,
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
      actor.lineage?.issuer ?? null,
      finer,
      event.after ?? 0,
      event.lease ? JSON.stringify(event.lease) : null,
      room,
      total,
      ...(unless ? [unless.parameter] : []),
    );
}

/** As the statement has them; where those are too many for what it records, the first of them, and how many there are. */
function computedOf({ outcome, dryRun = false }: NewEvent, { given, unless }: GivenSecrets, room: number): ComputedSecrets & { readonly total: number | null } {
  const named = outcome === "denied" || dryRun ? firstOf(given, room) : given;
  return {
    sql: (parameter) => `SELECT ${parameter} AS secrets, NULL AS lease_until, NULL AS absent, NULL AS absent_total, 0 AS refused`,
    parameter: JSON.stringify(named),
    unless,
    total: named.length < given.length ? given.length : null,
  };
}
