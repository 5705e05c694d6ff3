import { Problem } from "../../contract/problem.ts";
import type { Caller } from "../access/caller.ts";
import { findLease, leaseAtHand } from "../leases/find-lease.ts";
import type { FreshnessNeeds } from "../leases/freshness.ts";
import type { Lease } from "../leases/lease.ts";
import { begin, oneLeads } from "../leases/one-leads.ts";
import { countUse, uncountUse } from "../leases/report-uses.ts";
import { takeAllowance } from "../take-allowance.ts";
import type { LeaseAsk } from "./record-leased.ts";

/** How many answers an isolate gives one token again. No rate limiter is asked. */
const REPEATS = { aSecond: 5_000, atOnce: 10_000 };

/** From this part of a lease on that is left, it is renewed while it is used. */
const RENEWED = 0.25;
/** Shorter ones are not renewed, in milliseconds. */
const SHORTEST_RENEWED = 4_000;

/** A call that may be answered under a lease, by an answer that is kept for one caller. */
export interface LeasedCall<Answer extends { readonly caller: Caller }, Result> extends LeaseAsk<Answer> {
  /** How old the answer may be, in seconds. */
  readonly maxAge: number;
  /** Gives an answer again at a time in milliseconds since 1970; `undefined` where this call is to be answered strictly. */
  readonly again: (lease: Lease<Answer>, now: number) => Promise<Result | undefined>;
  /**
   * Finds out whether what is kept is still what would be answered, after something has changed.
   *
   * @returns The epochs under which it is; `undefined` when it is not.
   * @throws {Problem} what the call would be refused by now; `storage-unavailable`.
   */
  readonly compare: (lease: Lease<Answer>) => Promise<string | undefined>;
  /** Answers strictly, and opens a lease. */
  readonly lead: () => Promise<Result>;
}

/**
 * Answers a call under a lease, where there is one that has not ended and that can be vouched for; else strictly. While a
 * lease is used, it is renewed in the background before it ends, by a resolve like the first.
 *
 * @throws {Problem} `rate-limited`; what `lead` throws.
 */
export async function answerLeased<Answer extends { readonly caller: Caller }, Result>(
  needs: FreshnessNeeds,
  call: LeasedCall<Answer, Result>,
): Promise<Result> {
  const { leases, key } = call;
  const lease = leaseAtHand(leases, needs, key, call.maxAge);
  const given = lease && (await take(needs, call, lease));
  return given ?? oneLeads(leases, needs, key, () => giveAgain(needs, call), call.lead);
}

async function giveAgain<Answer extends { readonly caller: Caller }, Result>(
  needs: FreshnessNeeds,
  call: LeasedCall<Answer, Result>,
): Promise<Result | undefined> {
  const { leases, key, maxAge } = call;
  const compare = (lease: Lease<Answer>) => call.compare(lease).catch(unlessRefused);
  const lease = await findLease(leases, needs, { key, maxAge, compare });
  return lease && take(needs, call, lease);
}

async function take<Answer extends { readonly caller: Caller }, Result>(
  needs: FreshnessNeeds,
  call: LeasedCall<Answer, Result>,
  lease: Lease<Answer>,
): Promise<Result | undefined> {
  const { leases, key } = call;
  const now = needs.clock();
  if (!takeAllowance(leases.allowances, `${lease.org} ${lease.holder}`, now, REPEATS))
    throw new Problem("rate-limited", "Too many requests from here; wait and try again.", { headers: { "Retry-After": "1" } });
  if (!countUse(leases, needs, lease)) return undefined;
  const result = await call.again(lease, now);
  if (result === undefined) uncountUse(lease);
  else if (isToBeRenewed(lease, now)) {
    lease.renewing = true;
    needs.defer(begin(leases, needs, key, call.lead()));
  }
  return result;
}

/** In its last part, once, and not where its end is that of the token, of a copy, or one of a few seconds: another one would end as soon. */
function isToBeRenewed({ renewing, until, isCut, openedAt, answer: { caller } }: Lease<{ readonly caller: Caller }>, now: number): boolean {
  const length = until - openedAt;
  const final = isCut || until === caller.expiresAt || until === caller.verifiedUntil;
  return !renewing && !final && length >= SHORTEST_RENEWED && until - now <= length * RENEWED;
}

/** What a resolve would be refused by now is no failure of comparing: the answer is not the same. */
function unlessRefused(error: unknown): undefined {
  if (error instanceof Problem && error.code !== "storage-unavailable") return undefined;
  throw error;
}
