import { casesFor } from "./cases.ts";
import { fire, type Shot } from "./load.ts";
import { archiveAll, type LogCounts, type LogSetup, type LogWorker, startLogWorker } from "./log-worker.ts";
import { NAMES, seedNames } from "./seed.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;
const MINUTES = 10;
/** How often something is asked for in a minute. */
const EACH = 60;
/** Callers and secrets of those that ask under leases. */
const [CALLERS, KEYS] = [10, 5];
/** Longer than what a request leaves behind takes, in milliseconds: nobody is told when that is over. */
const LEFT_BEHIND = 50;

/** What happens in the life of what requests write to the audit log. */
export interface EventLife {
  readonly name: string;
  /** Requests that were made. */
  readonly requests: number;
  /** Events of them. */
  readonly events: number;
  /** By what it was asked for: the requests with what they leave behind, and each job on the log. */
  readonly stages: Readonly<Record<"requests" | "seal" | "digest" | "archive" | "retention", LogCounts>>;
}

/** Counts what D1 and KV are asked for from a request until its event is removed, with the log sealed each minute. */
export async function measureLives(setup: LogSetup): Promise<EventLife[]> {
  const { resolve } = casesFor(setup.token);
  const strict = async ({ url }: LogWorker) => {
    for (let n = 0; n < EACH; n++) await fire(url, resolve(1));
    return EACH;
  };
  return [
    await measureLife(setup, "strict resolves, 60 a minute", strict),
    await measureLife(setup, "50 questions under leases, each 60 times a minute", askLeased),
  ];

  async function askLeased({ url, moveTo }: LogWorker, from: number): Promise<number> {
    const shots: Shot[] = Array.from({ length: CALLERS * KEYS }, (_, n) => {
      const one = resolve(1);
      const body = JSON.stringify({ scopes: ["namespace:prod"], names: [NAMES[n % KEYS]] });
      return { ...one, body, headers: { ...one.headers, "Cache-Control": "max-age=60", "User-Agent": `caller ${Math.floor(n / KEYS)}` } };
    });
    for (let second = 0; second < EACH; second++) {
      await moveTo(from + second * 1000);
      for (const shot of shots) await fire(url, shot);
    }
    return shots.length * EACH;
  }
}

type Ask = (worker: LogWorker, from: number) => Promise<number>;

async function measureLife(setup: LogSetup, name: string, ask: Ask): Promise<EventLife> {
  // The token is in force all the time.
  const start = Date.now();
  const worker = await startLogWorker(setup, start);
  await seedNames(worker, setup.token, KEYS);
  await sealAndDigest(worker);
  const before = await lastEvent(worker);
  await worker.counts();
  const stages = { requests: nothing(), seal: nothing(), digest: nothing(), archive: nothing(), retention: nothing() };
  const requests = await live(worker, start, ask, stages);
  const events = (await lastEvent(worker)) - before;
  // One event more, for the others to be archived: the end of a log stays in D1.
  await fire(worker.url, casesFor(setup.token).resolve(1));
  await sealAndDigest(worker);
  await worker.counts();
  await archiveAll(worker, start + 9 * DAY);
  add(stages.archive, await worker.counts());
  await worker.moveTo(start + 400 * DAY);
  await worker.work("remove");
  add(stages.retention, await worker.counts());
  const left = await worker.db.prepare("SELECT COUNT(*) AS n FROM audit_archives").first<number>("n");
  if (left !== 0) throw new Error("something of the log is still in the archive");
  await worker.stop();
  return { name, requests, events, stages };
}

/** Asks for some minutes, with the log sealed and digested after each, and returns how many requests that were. */
async function live(worker: LogWorker, start: number, ask: Ask, stages: EventLife["stages"]): Promise<number> {
  let requests = 0;
  for (let minute = 1; minute <= MINUTES; minute++) {
    await worker.moveTo(start + minute * MINUTE);
    requests += await ask(worker, start + minute * MINUTE);
    await new Promise((resolve) => setTimeout(resolve, LEFT_BEHIND));
    add(stages.requests, await worker.counts());
    for (const job of ["seal", "digest"] as const) {
      await worker.work(job);
      add(stages[job], await worker.counts());
    }
    // The registry is for all logs together: it is not counted here.
    await worker.work("register");
    await worker.counts();
  }
  for (const end of [MINUTES + 1, MINUTES + 2]) {
    await worker.moveTo(start + end * MINUTE);
    await new Promise((resolve) => setTimeout(resolve, LEFT_BEHIND));
  }
  add(stages.requests, await worker.counts());
  return requests;
}

async function sealAndDigest({ work }: LogWorker): Promise<void> {
  for (const job of ["seal", "register", "digest"] as const) await work(job);
}

async function lastEvent({ db }: LogWorker): Promise<number> {
  return (await db.prepare("SELECT MAX(seq) AS n FROM audit_events WHERE org = 'acme'").first<number>("n")) ?? 0;
}

function nothing(): LogCounts {
  return { d1Batches: 0, d1Statements: 0, rowsRead: 0, rowsWritten: 0, kvReads: 0, kvWrites: 0, lines: 0 };
}

function add(sum: LogCounts, counts: LogCounts): void {
  for (const key of Object.keys(sum) as (keyof LogCounts)[]) Object.assign(sum, { [key]: sum[key] + counts[key] });
}
