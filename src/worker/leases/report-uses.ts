import { insertLeaseEvents, type LeaseEvent } from "../audit/lease-events.ts";
import { runBatch } from "../store/run-batch.ts";
import type { Lease, LeaseFacts, Tally } from "./lease.ts";
import type { Leases } from "./leases.ts";

/** What counting needs. */
export interface ReportNeeds {
  readonly db: D1Database;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Lets work go on after the reply, for up to half a minute. */
  readonly defer: (work: Promise<unknown>) => void;
}

/** How long after a request its timer writes what has been counted, in milliseconds: less than the platform lets work go on. */
const REPORT_AFTER = 20_000;
/** A request leaves no timer behind when there is one that ends so long after it. What is not reported for longer is then due. */
const MARGIN = REPORT_AFTER / 2;
/** How many events one statement writes. */
const AT_ONCE = 200;
/** How many ended leases may wait for the next timer. */
const WAITING = 1_000;

/** Begins to count the uses of a lease that is on record. Until it is kept it counts as ended, so that whatever happens its last count is written. */
export function beginTally(leases: Leases<unknown>, needs: ReportNeeds, id: string, facts: LeaseFacts): Tally {
  const tally: Tally = { id, facts, uses: 0, reported: 0, unreportedSince: null, ended: true };
  leases.tallies.set(id, tally);
  if (leases.tallies.size > leases.store.count + WAITING) needs.defer(report(leases, needs, ended));
  leaveTimer(leases, needs);
  return tally;
}

/** Keeps an answer, in place of the one that was given to the same question before. */
export function keepLease<Answer>(leases: Leases<Answer>, lease: Lease<Answer>): void {
  lease.tally.ended = false;
  leases.store.add(lease);
}

/** Counts one use. */
export function countUse<Answer>(leases: Leases<Answer>, needs: ReportNeeds, lease: Lease<Answer>): void {
  const { tally } = lease;
  tally.uses += 1;
  tally.unreportedSince ??= needs.clock();
  leases.store.touch(lease);
  leaveTimer(leases, needs);
}

/**
 * Sees to it that what is counted now is written: by a timer of this request, unless an earlier one's ends late enough. A
 * timer after which there is none ends all leases, because nobody may come who could write their last count.
 */
function leaveTimer(leases: Leases<unknown>, needs: ReportNeeds): void {
  const now = needs.clock();
  if ((leases.timers.at(-1) ?? 0) >= now + MARGIN) return;
  const at = now + REPORT_AFTER;
  leases.timers.push(at);
  const rung = new Promise((resolve) => setTimeout(resolve, REPORT_AFTER)).then(() => {
    leases.timers = leases.timers.filter((other) => other > at);
    if (leases.timers.length === 0) for (const lease of leases.store.all()) leases.store.remove(lease);
    return report(leases, needs, due(needs.clock()));
  });
  needs.defer(rung);
}

const ended = (tally: Tally) => tally.ended;
const due = (now: number) => (tally: Tally) => tally.ended || (tally.unreportedSince !== null && now - tally.unreportedSince >= MARGIN);

/** Writes counts. Those that could not be written are written by the next timer; without one, the scheduled run says that they are missing. */
async function report(leases: Leases<unknown>, { db, clock }: ReportNeeds, wanted: (tally: Tally) => boolean): Promise<void> {
  const now = new Date(clock());
  for (const lease of leases.store.all()) if (lease.until <= now.getTime()) leases.store.remove(lease);
  const tallies = [...leases.tallies.values()].filter(wanted);
  for (let from = 0; from < tallies.length; from += AT_ONCE) {
    const some = tallies.slice(from, from + AT_ONCE).map((tally) => ({ tally, uses: tally.uses, final: tally.ended }));
    await runBatch(db, [
      insertLeaseEvents(
        db,
        some.map(({ tally, uses, final }) => useEvent(tally, uses, final)),
        now,
      ),
    ]);
    for (const { tally, uses, final } of some) noteReported(leases, tally, uses, final);
  }
}

function useEvent({ id, facts }: Tally, uses: number, final: boolean): LeaseEvent {
  return { ...facts, action: "secret.resolve.uses", lease: { id, uses, final } };
}

function noteReported(leases: Leases<unknown>, tally: Tally, uses: number, final: boolean): void {
  if (final) leases.tallies.delete(tally.id);
  // What came while it was written is reported next time.
  tally.unreportedSince = tally.uses === uses ? null : tally.unreportedSince;
  tally.reported = uses;
}
