import { countEvents } from "../audit/event-counts.ts";
import { type Cut, indexBySecret, markSeen, noteResolved, type Stretch, selectCuts, selectUnseen, type Unseen } from "../audit/marks.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { type BatchNeeds, workInBatches } from "../transaction/work-in-batches.ts";

/** How many organizations one batch handles. */
const ORGS = 200;
/** How many events the first batch of a run goes through, and a later one at the most, where D1 is quick. */
const EVENTS = { first: 250, most: 1_000 };
/** A batch that takes D1 less time lets the next one be twice as large, and one that takes twice as long half, in milliseconds. */
const QUICK = 20;
/** How many secrets the events of one batch name, in about: an event can name 500, which takes D1 as long as 500 events do. */
const NAMED = 50_000;

/**
 * Derives from the audit log when secrets were last resolved, which events name them and how many there are of each kind, so that a
 * resolve writes nothing for any of it. In each batch an organization has its share; the next run goes on where this one stops. Returns how many
 * events were gone through.
 */
export async function digestLog({ db, now, budget }: BatchNeeds): Promise<number> {
  let digested = 0;
  let size = EVENTS.first;
  await workInBatches(budget, async () => {
    const [found] = await runBatch(db, [selectUnseen(db, "secrets", now.getTime(), ORGS)]);
    const unseen = rowsOf<Unseen>(found);
    const wanted = shares(unseen, size);
    if (wanted.length === 0) return false;
    const stretches = await cutWide(db, wanted);
    const began = budget?.work.clock() ?? 0;
    await runBatch(db, [
      noteResolved(db, stretches),
      indexBySecret(db, stretches),
      countEvents(db, stretches),
      markSeen(db, "secrets", stretches, now.getTime()),
    ]);
    size = nextSize(size, (budget?.work.clock() ?? 0) - began);
    const done = eventsIn(stretches);
    digested += done;
    return unseen.length === ORGS || done < eventsIn(unseen.map((log) => ({ ...log, to: log.last })));
  });
  return digested;
}

function nextSize(size: number, took: number): number {
  if (took < QUICK) return Math.min(EVENTS.most, size * 2);
  return took > 2 * QUICK ? Math.max(EVENTS.first, size / 2) : size;
}

/** What of each log a batch of so many events goes through: those with little to do leave their share to the others. */
function shares(unseen: readonly Unseen[], size: number): Stretch[] {
  const stretches: Stretch[] = [];
  const smallestFirst = unseen.toSorted((a, b) => a.last - a.done - (b.last - b.done));
  for (const [n, { org, done, last }] of smallestFirst.entries()) {
    const share = Math.ceil((size - eventsIn(stretches)) / (unseen.length - n));
    stretches.push({ org, done, to: Math.min(last, done + share) });
  }
  return stretches;
}

/** Stretches end earlier where their events name very many secrets. */
async function cutWide(db: D1Database, stretches: readonly Stretch[]): Promise<Stretch[]> {
  const [found] = await runBatch(db, [selectCuts(db, stretches, NAMED / stretches.length)]);
  const cuts = new Map(rowsOf<Cut>(found).map(({ org, to }) => [org, to]));
  return stretches.map((stretch) => ({ ...stretch, to: cuts.get(stretch.org) ?? stretch.to }));
}

function eventsIn(stretches: readonly Stretch[]): number {
  return stretches.reduce((events, { done, to }) => events + to - done, 0);
}
