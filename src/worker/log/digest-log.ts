import { indexBySecret, markSeen, noteResolved, type Stretch, selectUnseen, type Unseen } from "../audit/marks.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";

/** How many organizations one run handles. */
const ORGS = 50;
/** How many events one run goes through: even if each released as many secrets as it may, that takes D1 seconds and not minutes. */
const EVENTS = 2_000;

/**
 * Derives from the audit log when secrets were last resolved and which events name them, so that a resolve writes nothing
 * for either. A bounded number of events in each run, and of each organization its share; the next run goes on from there. Returns how many events
 * were gone through.
 */
export async function digestLog({ db, now }: { db: D1Database; now: Date }): Promise<number> {
  const [found] = await runBatch(db, [selectUnseen(db, "secrets", now.getTime(), ORGS)]);
  const stretches = shares(rowsOf<Unseen>(found));
  if (stretches.length === 0) return 0;
  await runBatch(db, [noteResolved(db, stretches), indexBySecret(db, stretches), markSeen(db, "secrets", stretches, now.getTime())]);
  return EVENTS - left(stretches);
}

/** What of each log this run goes through: those with little to do leave their share to the others. */
function shares(unseen: readonly Unseen[]): Stretch[] {
  const stretches: Stretch[] = [];
  const smallestFirst = unseen.toSorted((a, b) => a.last - a.done - (b.last - b.done));
  for (const [n, { org, done, last }] of smallestFirst.entries()) {
    const share = Math.ceil(left(stretches) / (unseen.length - n));
    stretches.push({ org, done, to: Math.min(last, done + share) });
  }
  return stretches;
}

function left(stretches: readonly Stretch[]): number {
  return stretches.reduce((events, { done, to }) => events - (to - done), EVENTS);
}
