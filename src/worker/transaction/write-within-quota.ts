import { Problem } from "../../contract/problem.ts";
import { QUOTAS, type Quota, type Quotas, withQuotas } from "../../contract/quota.ts";
import type { Caller } from "../access/caller.ts";
import { type Kept, QUOTA_GUARD, type QuotaGuards, requireQuotas, selectUsage, type UsageRow } from "../store/quota-rows.ts";
import { GuardError, rowsOf } from "../store/run-batch.ts";
import { type CallerNeeds, readForCaller, standingOf } from "./run-for-caller.ts";

/** What a write needs that adds to what an organization has. */
export type QuotaNeeds = CallerNeeds & { readonly now: Date; readonly quotas: Quotas };

/** What a write adds to. */
export interface Growth {
  readonly kept: readonly Kept[];
  /** How many secrets, tokens, trusts or links it writes; 0 for what is not held up for being one write too many. */
  readonly made: number;
}

/**
 * Writes what adds to what an organization has: the transaction happens only if what it adds to is within its quotas afterwards.
 *
 * @param write Runs the write as one transaction, between the two statements that it is given.
 *
 * @throws {GuardError} when another guard statement stopped it.
 * @throws {Problem} `quota-exceeded`, `rate-limited` for the quota of a minute, and what `write` throws.
 */
export async function writeWithinQuota(needs: QuotaNeeds, caller: Caller, growth: Growth, write: (guards: QuotaGuards) => Promise<unknown>): Promise<void> {
  const { db, now } = needs;
  const { quotas: own } = await standingOf(needs, caller);
  const quotas = withQuotas(needs.quotas, own);
  try {
    await write(requireQuotas(db, caller.org, quotas, growth, now.getTime()));
  } catch (error) {
    if (!(error instanceof GuardError && error.guard.startsWith(QUOTA_GUARD))) throw error;
    throw await quotaExceeded(needs, caller, error.guard.slice(QUOTA_GUARD.length) as Quota, quotas);
  }
}

/** A write would be more than a quota of what an organization has. */
export class QuotaProblem extends Problem {
  constructor(
    readonly quota: Quota,
    detail: string,
  ) {
    super("quota-exceeded", detail);
  }
}

async function quotaExceeded(needs: QuotaNeeds, caller: Caller, quota: Quota, quotas: Quotas): Promise<Problem> {
  if (quota === "writes_per_minute")
    return new Problem("rate-limited", `The organization has used up its quota ${quota} of ${quotas[quota]}.`, { headers: { "Retry-After": "60" } });
  const [found] = await readForCaller(needs, caller, [selectUsage(needs.db, caller.org, needs.now.getTime(), 0)]);
  const [usage] = rowsOf<UsageRow>(found);
  return new QuotaProblem(
    quota,
    `That would be more than the organization's quota ${quota} of ${quotas[quota]}: ${QUOTAS[quota].about} ${freedBy(quota, usage)}`,
  );
}

function freedBy(quota: Quota, usage: UsageRow | undefined): string {
  const earlier = (usage?.versions ?? 0) - (usage?.secrets ?? 0);
  const deleted = usage?.deleted ?? 0;
  const purging = deleted === 0 ? "" : ` There are ${deleted} deleted secrets that can come back: purging them frees what they take.`;
  if (quota === "versions" || quota === "bytes")
    return `There are ${earlier} earlier versions: destroying them frees what they take.${purging} GET /v1/usage has the rest.`;
  if (quota === "secrets") return `${purging || " Purging some frees as many; deleting alone does not."} GET /v1/usage has the rest.`.trim();
  if (quota === "revocations") return "An issued_before of this minute ends everything that was issued until then, and is never too many.";
  if (quota === "tokens") return "A token in the list counts until a week after it has expired. GET /v1/usage has the rest.";
  return "Deleting some frees as many. GET /v1/usage has the rest.";
}
