import { type Instance, migrate, startInstance } from "./instance.ts";
import { fire } from "./load.ts";
import type { Setup } from "./ratios.ts";

/** What was asked of the bindings, and how many lines were logged. */
export interface LogCounts {
  readonly d1Batches: number;
  readonly d1Statements: number;
  readonly rowsRead: number;
  readonly rowsWritten: number;
  readonly kvReads: number;
  readonly kvWrites: number;
  readonly lines: number;
}

/** The Worker whose jobs on the audit log are requests, and whose clock is moved by hand. */
export interface LogWorker extends Instance {
  /** Moves its clock, to milliseconds since 1970. */
  readonly moveTo: (time: number) => Promise<void>;
  /** Has a job do all that is due by that clock, and returns what it says that it did. */
  readonly work: (job: "seal" | "register" | "digest" | "archive" | "remove") => Promise<unknown>;
  /** What was asked of the bindings since it was last asked. */
  readonly counts: () => Promise<LogCounts>;
}

/** What measuring the audit log needs. */
export interface LogSetup extends Pick<Setup, "secrets" | "token"> {
  /** The bundle of `workers/log.ts`. */
  readonly script: string;
}

/** Starts one at a time in milliseconds since 1970. */
export async function startLogWorker({ script, secrets }: LogSetup, at: number): Promise<LogWorker> {
  const instance = await startInstance(script, secrets, { direct: true });
  await migrate(instance.db);
  const ask = async (path: string) => (await fire(instance.url, { method: "POST", path: `/bench/${path}`, headers: {}, expect: 200 })).body;
  const moveTo = async (time: number) => void (await ask(`clock?to=${time}`));
  await moveTo(at);
  return {
    ...instance,
    moveTo,
    work: async (job) => JSON.parse(await ask(job)) as unknown,
    counts: async () => JSON.parse(await ask("counts")) as LogCounts,
  };
}

/** Has objects put, read back and taken from D1 until all of the log is archived that may be. Returns how many events were. */
export async function archiveAll({ moveTo, work }: Pick<LogWorker, "moveTo" | "work">, from: number): Promise<number> {
  let events = 0;
  for (let at = from, idle = 0; idle < 2; at += 600_000) {
    await moveTo(at);
    const { put, archived } = (await work("archive")) as { put: number; archived: number };
    events += archived;
    idle = put + archived === 0 ? idle + 1 : 0;
  }
  return events;
}
