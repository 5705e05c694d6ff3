import type { LeaseEvent } from "../audit/lease-events.ts";
import type { CallsOfLease } from "./calls-of-lease.ts";

/** Whose lease it is and of what: what every event about it says. */
export type LeaseFacts = Pick<LeaseEvent, "org" | "actor" | "token_id" | "issuer" | "secrets" | "request_id" | "ip" | "user_agent">;

/** How often an answer has been given again, and how much of that the log has. Times are milliseconds since 1970. */
export interface Tally {
  readonly id: string;
  readonly facts: LeaseFacts;
  /** What was asked of a service under it; `null` where what it gives again are values. */
  readonly calls: CallsOfLease | null;
  uses: number;
  /** When the first use was that the log does not have; `null` for none. */
  unreportedSince: number | null;
  /**
   * `opening` until the answer is kept, `kept` while it is given again, `ended` when it is given no more: then the next count
   * is the last one. `closed` from when that is being written: nothing is counted any more.
   */
  state: "opening" | "kept" | "ended" | "closed";
  /** When it began. */
  readonly since: number;
}

/** An answer that may be given again. Times are milliseconds since 1970. */
export interface Lease<Answer> {
  /** What was asked, by whom, from where. */
  readonly key: string;
  readonly org: string;
  /** Whose share of the memory it takes: the token, or the binding. */
  readonly holder: string;
  /** The organizations whose changes decide what the answer is. */
  readonly orgs: readonly string[];
  /** What takes its token out of force, as {@link markOf} writes it; none for a caller without a token. */
  readonly marks: ReadonlySet<string>;
  /** When its token was issued, in seconds since 1970; `null` for none. */
  readonly issuedAt: number | null;
  readonly openedAt: number;
  readonly until: number;
  /** Whether it ends earlier than it might, with a value of a store that has to be asked for again: another one would end as soon. */
  readonly isCut: boolean;
  readonly maxUses: number;
  /** What it takes of the memory, in bytes. */
  readonly size: number;
  readonly answer: Answer;
  readonly tally: Tally;
  /** The epochs of `orgs` under which the answer is known to be the same, as {@link epochsOf} writes them. */
  epochs: string;
  /** Whether it is being renewed, so that it is renewed once. */
  renewing: boolean;
}

/** A kind and a value of a revocation as one text. */
export function markOf(kind: string, value: string): string {
  return `${kind} ${value}`;
}
