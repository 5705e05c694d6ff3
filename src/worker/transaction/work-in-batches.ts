/** How scheduled work takes its time. */
export interface Pace {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Waits for so many milliseconds. */
  readonly rest: (milliseconds: number) => Promise<void>;
  /** Lets everything else that waits in this isolate have its turn first: what only ever awaits what is there at once, as a local D1 and KV are, keeps requests that have arrived from being read. */
  readonly turn: () => Promise<void>;
}

/** What the work of one run has used of D1 so far. */
export interface Work extends Pace {
  /** D1 as the work has it, so that what it takes is known. */
  readonly db: D1Database;
  /** For how long D1 has worked and nobody has rested since, in milliseconds. */
  owed: number;
  statements: number;
  /** Whether a transaction took so long that D1 has enough to do without this. */
  slow: boolean;
}

/** What one job of a run may use. */
export interface Budget {
  readonly work: Work;
  /** When its time is over, by the clock. */
  readonly until: number;
  /** How many statements the run may have used by then: the platform ends a run that uses a thousand. */
  readonly statements: number;
}

/** What a job that works in batches needs. */
export interface BatchNeeds {
  readonly db: D1Database;
  readonly now: Date;
  /** How much to do; without one all that is due. */
  readonly budget?: Budget | undefined;
}

/** With a transaction that takes longer, in milliseconds, the run ends its work: requests wait for D1 as well. */
const SLOW = 500;
/** How many statements go with a second of a budget. 40 seconds of them leave some to what is done in any case. */
const STATEMENTS_PER_SECOND = 18;

/** D1 before each of whose transactions everything else that waits in this isolate has its turn. */
export function afterOthers(db: D1Database, { turn }: Pace): D1Database {
  return withBatch(db, async (statements) => {
    await turn();
    return db.batch(statements);
  });
}

function withBatch(db: D1Database, batch: D1Database["batch"]): D1Database {
  const seen: Pick<D1Database, "prepare" | "batch"> = { prepare: (text) => db.prepare(text), batch };
  return seen as D1Database;
}

/** Begins the work of a run. */
export function beginWork(db: D1Database, pace: Pace): Work {
  const work: Work = { ...pace, db: withBatch(db, batch), owed: 0, statements: 0, slow: false };
  return work;

  async function batch<T>(statements: D1PreparedStatement[]): Promise<D1Result<T>[]> {
    await pace.turn();
    const began = pace.clock();
    work.statements += statements.length;
    try {
      return await db.batch<T>(statements);
    } finally {
      const took = pace.clock() - began;
      work.owed += took;
      work.slow ||= took > SLOW;
    }
  }
}

/** The budget of a job that begins now. */
export function budgetOf(work: Work, seconds: number): Budget {
  return { work, until: work.clock() + seconds * 1_000, statements: work.statements + seconds * STATEMENTS_PER_SECOND };
}

/** A part of what is left of a budget; `undefined` of none, which has no bound. */
export function partOf(budget: Budget | undefined, fraction: number): Budget | undefined {
  if (!budget) return undefined;
  const { work, until, statements } = budget;
  const now = work.clock();
  return { work, until: now + Math.max(0, until - now) * fraction, statements: work.statements + Math.max(0, statements - work.statements) * fraction };
}

/**
 * Works in batches until nothing is left or the budget is spent. Before each it rests for as long as D1 has worked, so that
 * half of D1's time is for requests.
 *
 * @param budget Without one all is done that there is.
 * @param batch Does some of it, and says whether there may be more.
 */
export async function workInBatches(budget: Budget | undefined, batch: () => Promise<boolean>): Promise<void> {
  if (!budget) {
    while (await batch());
    return;
  }
  while ((await isReady(budget)) && (await timed(budget.work, batch)));
}

/** Rests, and says whether the budget has a batch left. */
async function isReady({ work, until, statements }: Budget): Promise<boolean> {
  const { clock, rest } = work;
  if (!work.slow && work.owed > 0 && clock() < until) {
    await rest(Math.min(work.owed, until - clock()));
    work.owed = 0;
  }
  return !work.slow && clock() < until && work.statements < statements;
}

/** A transaction that never ends is not timed by itself: the batch that gave it up is. */
async function timed(work: Work, batch: () => Promise<boolean>): Promise<boolean> {
  const began = work.clock();
  try {
    return await batch();
  } catch (error) {
    work.slow ||= work.clock() - began > SLOW;
    throw error;
  }
}
