import { insertLeaseEvents, type LeaseEvent } from "../audit/lease-events.ts";
import { runBatch } from "../store/run-batch.ts";
import { type CallsOfLease, noteOfCalls } from "./calls-of-lease.ts";
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
/** How many counts one batch writes. */
const AT_ONCE = 100;
/** How many ended leases may wait for the next timer. */
const WAITING = 1_000;
/** How many may wait while nothing can be written: of those before them the scheduled run says that their last count is missing. */
const MOST_WAITING = 5_000;
/** After so long whoever writes counts is taken to be gone, in milliseconds. */
const GIVEN_UP = 30_000;

/**
 * Begins to count the uses of a lease, before it is on record: so whatever happens after that, its last count is written.
 * {@link dropTally} where it came to none.
 */
export function beginTally(leases: Leases<unknown>, needs: ReportNeeds, id: string, facts: LeaseFacts, calls: CallsOfLease | null): Tally {
  const tally: Tally = { id, facts, calls, uses: 0, unreportedSince: null, state: "opening", since: needs.clock() };
  leases.tallies.set(id, tally);
  if (leases.tallies.size > leases.store.count + MOST_WAITING) giveUpOne(leases);
  if (leases.tallies.size > leases.store.count + WAITING && !leases.reporting) needs.defer(report(leases, needs, isEnded));
  leaveTimer(leases, needs);
  return tally;
}

function giveUpOne({ tallies }: Leases<unknown>): void {
  const oldest = tallies.values().find(isEnded);
  if (oldest) tallies.delete(oldest.id);
}

/** No lease was put on record. */
export function dropTally(leases: Leases<unknown>, tally: Tally): void {
  leases.tallies.delete(tally.id);
}

/** There is nothing to be kept: a lease that is on record has ended. */
export function endTally(tally: Tally): void {
  if (tally.state === "opening") tally.state = "ended";
}

/** Keeps an answer, in place of the one that was given to the same question before; unless that took so long that its last count is written. */
export function keepLease<Answer>(leases: Leases<Answer>, lease: Lease<Answer>): void {
  if (lease.tally.state !== "opening") return;
  lease.tally.state = "kept";
  leases.store.add(lease);
}

/** Counts one use, if there may be one more. It comes before the answer leaves, so that no end in between loses it. */
export function countUse<Answer>(leases: Leases<Answer>, needs: ReportNeeds, lease: Lease<Answer>): boolean {
  const { tally } = lease;
  if (leases.store.get(lease.key) !== lease || tally.uses >= lease.maxUses) return false;
  tally.uses += 1;
  tally.unreportedSince ??= needs.clock();
  leases.store.touch(lease);
  leaveTimer(leases, needs);
  return true;
}

/** Takes back a use that came to nothing, unless it is in the log already. */
export function uncountUse({ tally }: Lease<unknown>): void {
  if (tally.state !== "closed" && tally.uses > 0) tally.uses -= 1;
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
    return report(leases, needs, isDue(needs.clock()));
  });
  needs.defer(rung);
}

const isEnded = ({ state }: Tally) => state === "ended";
const isDue = (now: number) => (tally: Tally) => {
  const overdue = tally.unreportedSince !== null && now - tally.unreportedSince >= MARGIN;
  return isEnded(tally) || (tally.state === "kept" && overdue) || (tally.state === "opening" && now - tally.since >= MARGIN);
};

/**
 * Writes counts, one after the other. Those that could not be written are written by the next timer; without one, the
 * scheduled run says that they are missing.
 *
 * @throws {Problem} `storage-unavailable` when some could not be written.
 */
async function report(leases: Leases<unknown>, needs: ReportNeeds, wanted: (tally: Tally) => boolean): Promise<void> {
  const others = leases.reporting;
  // Two at once would write the same counts; one that does not end is not waited for.
  if (others && needs.clock() - others.sentAt < GIVEN_UP) await others.done.catch(() => undefined);
  const done = write(leases, needs, wanted).finally(() => {
    if (leases.reporting?.done === done) leases.reporting = null;
  });
  leases.reporting = { sentAt: needs.clock(), done };
  return done;
}

async function write(leases: Leases<unknown>, { db, clock }: ReportNeeds, wanted: (tally: Tally) => boolean): Promise<void> {
  const now = new Date(clock());
  for (const lease of leases.store.all()) if (lease.until <= now.getTime()) leases.store.remove(lease);
  const tallies = [...leases.tallies.values()].filter(wanted);
  const failures: unknown[] = [];
  for (let from = 0; from < tallies.length; from += AT_ONCE)
    await writeSome(leases, db, tallies.slice(from, from + AT_ONCE), now).catch((error) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

async function writeSome(leases: Leases<unknown>, db: D1Database, tallies: readonly Tally[], now: Date): Promise<void> {
  const counts = tallies.map((tally) => ({ tally, uses: tally.uses, final: tally.state !== "kept" }));
  for (const { tally, final } of counts) if (final) tally.state = "closed";
  try {
    await runBatch(
      db,
      insertLeaseEvents(
        db,
        counts.map(
          ({ tally: { id, facts, calls }, uses, final }): LeaseEvent => ({
            ...facts,
            action: "secret.resolve.uses",
            lease: { id, uses, final, ...(calls && { calls: noteOfCalls(calls) }) },
          }),
        ),
        now,
      ),
    );
  } catch (error) {
    for (const { tally, final } of counts) if (final) tally.state = "ended";
    throw error;
  }
  for (const { tally, uses, final } of counts) {
    if (final) leases.tallies.delete(tally.id);
    // What came while it was written is reported next time.
    tally.unreportedSince = tally.uses === uses ? null : now.getTime();
  }
}
