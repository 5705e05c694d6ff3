import { indexBySecret, markSeen, noteResolved, type Stretch, selectUnseen, type Unseen } from "../audit/marks.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { type BatchNeeds, workInBatches } from "../transaction/work-in-batches.ts";

/** How many organizations one batch handles. */
const ORGS = 50;
/** How many events one batch goes through: even if each released as many secrets as it may, that takes D1 a second and not minutes. */
const EVENTS = 500;

/**
 * Derives from the audit log when secrets were last resolved and which events name them, so that a resolve writes nothing
 * for either. In each batch an organization has its share; the next run goes on where this one stops. Returns how many
 * events were gone through.
 */
export async function digestLog({ db, now, budget }: BatchNeeds): Promise<number> {
  let digested = 0;
  await workInBatches(budget, async () => {
    const [found] = await runBatch(db, [selectUnseen(db, "secrets", now.getTime(), ORGS)]);
    const unseen = rowsOf<Unseen>(found);
    const stretches = shares(unseen);
    if (stretches.length === 0) return false;
    await runBatch(db, [noteResolved(db, stretches), indexBySecret(db, stretches), markSeen(db, "secrets", stretches, now.getTime())]);
    const done = EVENTS - left(stretches);
    digested += done;
    return unseen.length === ORGS || done < unseen.reduce((sum, log) => sum + log.last - log.done, 0);
  });
  return digested;
}

/** What of each log this batch goes through: those with little to do leave their share to the others. */
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
