import { selectEpochs } from "../store/epoch-rows.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { withDeadline } from "../with-deadline.ts";
import type { Lease } from "./lease.ts";
import type { Leases } from "./leases.ts";
import { askEpochs, noteEpochs } from "./note-epochs.ts";

/** What asking whether anything has changed needs. */
export interface FreshnessNeeds {
  readonly db: D1Database;
  /** How old the answer to that may be, in seconds. */
  readonly staleSeconds: number;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Lets work go on after the reply. */
  readonly defer: (work: Promise<unknown>) => void;
}

/** How long a request waits for that answer, in milliseconds. */
const DEADLINE = 1_000;

/**
 * Whether what is known of a lease's organizations is recent enough to give its answer again: it is asked for in the
 * background before it gets old, and waited for when it is. `false` when it cannot be had: then D1 decides, or nobody.
 */
export async function isFresh(leases: Leases<unknown>, needs: FreshnessNeeds, lease: Pick<Lease<unknown>, "orgs">): Promise<boolean> {
  if (isKnownFresh(leases, needs, lease)) return true;
  try {
    await withDeadline(reading(leases, needs), DEADLINE);
  } catch {
    // The reading logs its own failure, and the strict resolve that follows meets the same database.
    return false;
  }
  return ageOf(leases, needs, lease) <= needs.staleSeconds * 1000;
}

/** {@link isFresh}, as far as it can be told without waiting. */
export function isKnownFresh(leases: Leases<unknown>, needs: FreshnessNeeds, lease: Pick<Lease<unknown>, "orgs">): boolean {
  const [age, stale] = [ageOf(leases, needs, lease), needs.staleSeconds * 1000];
  if (age > stale) return false;
  if (age * 2 > stale) reading(leases, needs);
  return true;
}

/** How many organizations that this isolate has written to are remembered. */
const REMEMBERED = 10_000;

/** What a write of this isolate has changed is asked for before anything is given again. */
export function noteWrite({ orgs, writes }: Leases<unknown>, org: string): void {
  const known = orgs.get(org);
  if (known) orgs.set(org, { ...known, sentAt: Number.NEGATIVE_INFINITY });
  const before = writes.get(org) ?? 0;
  writes.delete(org);
  writes.set(org, before + 1);
  const [oldest] = writes.keys();
  if (writes.size > REMEMBERED && oldest !== undefined) writes.delete(oldest);
}

/** How long ago it was asked how all of a lease's organizations are, in milliseconds. */
function ageOf({ orgs }: Leases<unknown>, { clock }: FreshnessNeeds, lease: Pick<Lease<unknown>, "orgs">): number {
  let oldest = Number.POSITIVE_INFINITY;
  for (const org of lease.orgs) oldest = Math.min(oldest, orgs.get(org)?.sentAt ?? Number.NEGATIVE_INFINITY);
  return clock() - oldest;
}

/** The query that is under way, or one that begins now. One that nobody has heard of for too long counts for nothing. */
function reading(leases: Leases<unknown>, needs: FreshnessNeeds): Promise<void> {
  const now = needs.clock();
  if (leases.reading && now - leases.reading.sentAt < DEADLINE) return leases.reading.done;
  const done = read(leases, needs, now).finally(() => {
    if (leases.reading?.done === done) leases.reading = null;
  });
  leases.reading = { sentAt: now, done };
  // The request that began it may be given up, and others wait for it.
  needs.defer(done);
  return done;
}

async function read(leases: Leases<unknown>, { db }: FreshnessNeeds, sentAt: number): Promise<void> {
  const orgs = new Set([...leases.store.orgs()].flatMap((org) => leases.store.of(org).at(-1)?.orgs ?? []));
  forgetOthers(leases, orgs);
  const asked = askEpochs(leases, [...orgs], sentAt);
  const [found] = await runBatch(db, [selectEpochs(db, asked.orgs)]);
  noteEpochs(leases, rowsOf(found), asked);
}

/** Of organizations without leases nothing need be known. */
function forgetOthers({ orgs }: Leases<unknown>, active: ReadonlySet<string>): void {
  for (const org of orgs.keys()) if (!active.has(org)) orgs.delete(org);
}
