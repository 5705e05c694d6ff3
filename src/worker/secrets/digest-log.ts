import { indexBySecret, markSeen, noteResolved, selectUnseen, type Unseen } from "../audit/marks.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";

/** How many organizations one run handles. */
const ORGS = 50;
/** How many events of each. */
const EVENTS = 1_000;

/**
 * Derives from the audit log when secrets were last resolved and which events name them, so that a resolve writes
 * nothing for either. A bounded number of events in each run; the next run goes on from there. Returns how many.
 */
export async function digestLog({ db }: { db: D1Database }): Promise<number> {
  const [found] = await runBatch(db, [selectUnseen(db, "secrets", ORGS)]);
  const stretches = rowsOf<Unseen>(found).map(({ org, done, last }) => ({ org, done, to: Math.min(last, done + EVENTS) }));
  if (stretches.length === 0) return 0;
  await runBatch(
    db,
    stretches.flatMap(({ org, done, to }) => [noteResolved(db, org, done, to), indexBySecret(db, org, done, to), markSeen(db, "secrets", org, to)]),
  );
  return stretches.reduce((sum, { done, to }) => sum + to - done, 0);
}
