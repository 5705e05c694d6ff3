import { withDeadline } from "../with-deadline.ts";
import { type FreshnessNeeds, isFresh, isKnownFresh } from "./freshness.ts";
import type { Lease } from "./lease.ts";
import { epochsOf, type Leases } from "./leases.ts";
import { begin, pendingOf } from "./one-leads.ts";

/** How long a request waits for another one that is finding out the same, in milliseconds. */
const COMPARING = 1_000;

/** What is asked for again. */
export interface Asked<Answer> {
  readonly key: string;
  /** How old the answer may be, in seconds. */
  readonly maxAge: number;
  /** Finds out whether the answer is still the same, and under which epochs. It does not change the lease. */
  readonly compare: (lease: Lease<Answer>) => Promise<string | undefined>;
}

/** {@link findLease}, as far as it can be told without asking anybody: most requests need nothing else. */
export function leaseAtHand<Answer>(leases: Leases<Answer>, needs: FreshnessNeeds, key: string, maxAge: number): Lease<Answer> | undefined {
  const lease = leases.store.get(key);
  if (!lease || !lasts(leases, needs, lease, maxAge)) return undefined;
  return isKnownFresh(leases, needs, lease) && lease.epochs === epochsOf(leases, lease.orgs) ? lease : undefined;
}

/**
 * The lease under which an answer may be given again, if there is one: it has not ended and was not used too often, what is
 * known of its organizations is recent, and nothing that decides has changed since it was opened.
 */
export async function findLease<Answer>(leases: Leases<Answer>, needs: FreshnessNeeds, asked: Asked<Answer>): Promise<Lease<Answer> | undefined> {
  const lease = leases.store.get(asked.key);
  if (!lease || !lasts(leases, needs, lease, asked.maxAge)) return undefined;
  if (!(await isFresh(leases, needs, lease))) return undefined;
  if (lease.epochs !== epochsOf(leases, lease.orgs) && !(await isUnchanged(leases, needs, asked, lease))) return undefined;
  // What was waited for may have ended it.
  return leases.store.get(asked.key) === lease && lasts(leases, needs, lease, asked.maxAge) ? lease : undefined;
}

function lasts<Answer>(leases: Leases<Answer>, { clock }: FreshnessNeeds, lease: Lease<Answer>, maxAge: number): boolean {
  const now = clock();
  if (now >= lease.until || lease.tally.uses >= lease.maxUses) {
    leases.store.remove(lease);
    return false;
  }
  return now - lease.openedAt <= maxAge * 1000;
}

/** Something has changed: whether it was this answer is asked once, whoever else waits for it. */
async function isUnchanged<Answer>(leases: Leases<Answer>, needs: FreshnessNeeds, asked: Asked<Answer>, lease: Lease<Answer>): Promise<boolean> {
  const name = `compare ${lease.key}`;
  try {
    await withDeadline(pendingOf(leases, needs, name) ?? begin(leases, needs, name, compare(leases, asked, lease)), COMPARING);
  } catch {
    // D1 did not answer: it is asked again by the strict resolve that follows.
    return false;
  }
  return leases.store.get(lease.key) === lease && lease.epochs === epochsOf(leases, lease.orgs);
}

async function compare<Answer>(leases: Leases<Answer>, asked: Asked<Answer>, lease: Lease<Answer>): Promise<void> {
  const epochs = await asked.compare(lease);
  if (epochs === undefined) leases.store.remove(lease);
  else lease.epochs = epochs;
}
