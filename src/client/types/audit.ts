import type { ACTIONS, OUTCOMES } from "../../contract/actions.ts";
import type { CallOptions, PageQuery } from "./calls.ts";

/** What an event records. */
export type Action = (typeof ACTIONS)[number];
/** How what an event records ended. */
export type Outcome = (typeof OUTCOMES)[number];

/** What was asked of a service under a lease. */
export interface LeaseCalls {
  /** Methods and paths, and how often each: 20 at the most. */
  requests: { request: string; count: number }[];
  other_requests: number;
  statuses: { status: number; count: number }[];
  sent_bytes: number;
  received_bytes: number;
}

/** What an event says of a lease. */
export interface LeaseNote {
  id: string;
  until?: string | undefined;
  max_uses?: number | undefined;
  uses?: number | undefined;
  /** Whether the lease has ended, and this is its last count. */
  final?: boolean | undefined;
  calls?: LeaseCalls | undefined;
}

/** A secret that an event names. */
export interface AuditedSecret {
  id: string | null;
  name: string | null;
  scope: string | null;
  version: number | null;
}

/** One event. */
export interface AuditEvent {
  /** Which members the event has, and how its digest is made. One that is left out is 1. */
  version?: number | undefined;
  /** Counts without gaps within an organization. */
  seq: number;
  at: string;
  org: string;
  actor: string;
  token_id: string | null;
  issuer?: string | null | undefined;
  action: Action;
  outcome: Outcome;
  secrets: AuditedSecret[];
  /** There where there are many: how many secrets it is about. */
  secrets_total?: number | undefined;
  /** What it was done to, where that is no secret. */
  target: string | null;
  request_id: string;
  ip: string | null;
  user_agent: string | null;
  lease?: LeaseNote | undefined;
}

/** One page of events. */
export interface AuditPage {
  events: AuditEvent[];
  next_cursor: string | null;
}

/** Which events. `since` and `until` are RFC 3339 times. */
export interface AuditFilter {
  action?: string | undefined;
  actor?: string | undefined;
  secret_id?: string | undefined;
  outcome?: Outcome | undefined;
  since?: string | undefined;
  until?: string | undefined;
}

/** A signed, chained digest over a stretch of the log. */
export interface Checkpoint {
  number: number;
  first_seq: number;
  last_seq: number;
  last_at: string;
  row_digests: string[];
  /** A compact JWS (RFC 7515) over the stretch and the checkpoint before it. */
  jws: string;
}

/** One page of checkpoints. */
export interface CheckpointPage {
  checkpoints: Checkpoint[];
  head: string | null;
  generations?: string[] | undefined;
  next_cursor: string | null;
}

/** A range of events that a restore took away, and who accepted that. */
export interface LostRange {
  generation: number;
  first_seq: number;
  last_seq: number;
  at: string;
  by: string;
}

/** Whether the log is what was signed. */
export interface VerifyReply {
  ok: boolean;
  checked: number;
  unsealed: number;
  first_bad: number | null;
  /** There when a later Keyhole wrote what this one cannot check. */
  newer?: { seq: number; version: number | null } | undefined;
  /** There when `ok` is false. */
  reason?: "changed" | "newer" | "behind" | "differs" | "registry-lost" | undefined;
  restored?: LostRange[] | undefined;
  next_cursor: string | null;
}

/** A signed statement of how far logs have come. */
export interface AnchorReply {
  anchor: string;
  next_cursor: string | null;
}

/** A log that a restore of the database has set back. */
export interface Restoration {
  org: string;
  generation: number;
  after: number;
  lost: { first_seq: number; last_seq: number };
  lost_revocations: { first: number; last: number } | null;
  /** Whether what is left is as it was signed. What is not cannot be accepted. */
  acceptable: boolean;
}

/** The logs that a restore has set back. */
export interface RestorationsReply {
  restorations: Restoration[];
  unnamed: number;
  /** Stands for exactly these restorations: send it to accept them. */
  digest: string;
}

/** The organizations whose logs go on. */
export interface AcceptedRestorations {
  accepted: string[];
}

/** The audit log. */
export interface AuditCalls {
  /**
   * One page of events, newest first.
   *
   * @example
   * const { events } = await client.audit.list({ action: "secret.resolve", outcome: "denied" });
   */
  list(query?: AuditFilter & PageQuery, options?: CallOptions): Promise<AuditPage>;
  /**
   * All of them, newest first, page after page.
   *
   * @example
   * for await (const { at, actor, action } of client.audit.listAll({ since: "2026-11-01T00:00:00Z" })) console.log(at, actor, action);
   */
  listAll(filter?: AuditFilter & Pick<PageQuery, "limit">, options?: CallOptions): AsyncGenerator<AuditEvent>;
  /**
   * All of them, oldest first, as one reply that is read while it comes. One that broke off goes on `after` the last event's `seq`.
   *
   * @example
   * for await (const event of client.audit.stream({ after: 812 })) file.write(`${JSON.stringify(event)}\n`);
   */
  stream(filter?: AuditFilter & { after?: number | undefined }, options?: CallOptions): AsyncGenerator<AuditEvent>;
  /**
   * The signed, chained digests over the log.
   *
   * @example
   * const { checkpoints, head } = await client.audit.checkpoints();
   */
  checkpoints(query?: PageQuery, options?: CallOptions): Promise<CheckpointPage>;
  /**
   * Has the service recompute them, a stretch at a time where there are many: then `next_cursor` says where to go on.
   *
   * @example
   * const { ok, reason } = await client.audit.verify();
   */
  verify(query?: { cursor?: string | undefined }, options?: CallOptions): Promise<VerifyReply>;
  /**
   * A signed statement of how far the log has come, to be kept elsewhere. The operator's own organization gets all logs, a page at a time.
   *
   * @example
   * const { anchor } = await client.audit.anchor();
   */
  anchor(query?: { cursor?: string | undefined }, options?: CallOptions): Promise<AnchorReply>;
  /**
   * For the operator's own organization: the logs that a restore of the database has set back.
   *
   * @example
   * const { restorations, digest } = await client.audit.restorations();
   */
  restorations(query?: { org?: string | undefined }, options?: CallOptions): Promise<RestorationsReply>;
  /**
   * Accepts exactly those that the digest stands for. Never retried.
   *
   * @example
   * const { accepted } = await client.audit.acceptRestorations({ digest });
   */
  acceptRestorations(body: { digest: string; org?: string | undefined }, options?: CallOptions): Promise<AcceptedRestorations>;
}
