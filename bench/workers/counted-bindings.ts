import type { Env as WorkerEnv } from "../../src/worker/config.ts";

/** What was asked of the bindings. */
export interface Counts {
  /** Binding calls one after the other: calls that overlap are one wait. */
  waits: number;
  /** Milliseconds of delay that were drawn for those waits. */
  delayed: number;
  d1Batches: number;
  d1Statements: number;
  rowsRead: number;
  rowsWritten: number;
  kvReads: number;
  kvWrites: number;
}

/** Delays that stand for distance, in milliseconds: D1 at the primary, KV where it is in the location's cache and where not. */
export interface Delays {
  readonly d1: number;
  readonly kvHot: number;
  readonly kvCold: number;
}

const read = new Set<string>();
let counts: Counts = nothing();

function nothing(): Counts {
  return { waits: 0, delayed: 0, d1Batches: 0, d1Statements: 0, rowsRead: 0, rowsWritten: 0, kvReads: 0, kvWrites: 0 };
}

/** What was asked for since this was called last. */
export function takeCounts(): Counts {
  const taken = counts;
  counts = nothing();
  return taken;
}

/** An environment whose D1 and KV count what they are asked for, and are at a distance. */
export function countBindings<Env extends WorkerEnv>(env: Env, delays?: Delays): Env {
  return { ...env, DB: countD1(env.DB, delays), KV: countKv(env.KV, delays) };
}

let underWay = 0;

async function wait<T>(delay: number, call: () => Promise<T>): Promise<T> {
  const drawn = spread(delay);
  if (underWay++ === 0) {
    counts.waits++;
    counts.delayed += drawn;
  }
  try {
    if (drawn > 0) await new Promise((resolve) => setTimeout(resolve, drawn));
    return await call();
  } finally {
    underWay--;
  }
}

function countD1(db: D1Database, delays: Delays | undefined): D1Database {
  return new Proxy(db, {
    get(target, property) {
      if (property !== "batch") return Reflect.get(target, property).bind(target);
      return (statements: D1PreparedStatement[]) =>
        wait(delays?.d1 ?? 0, async () => {
          const results = await target.batch(statements);
          counts.d1Batches++;
          counts.d1Statements += statements.length;
          for (const { meta } of results) {
            counts.rowsRead += meta.rows_read;
            counts.rowsWritten += meta.rows_written;
          }
          return results;
        });
    },
  });
}

function countKv(kv: KVNamespace, delays: Delays | undefined): KVNamespace {
  return new Proxy(kv, {
    get(target, property) {
      const method = Reflect.get(target, property).bind(target);
      if (property === "get") {
        return (asked: string | string[], options: object) => {
          const keys = [asked].flat();
          const cold = keys.some((key) => !read.has(key));
          for (const key of keys) read.add(key);
          counts.kvReads += keys.length;
          return wait((cold ? delays?.kvCold : delays?.kvHot) ?? 0, () => method(asked, options));
        };
      }
      if (property === "put") counts.kvWrites++;
      return method;
    },
  });
}

/** A delay drawn around a typical one, half as much to twice as much: long ones are rarer. */
function spread(delay: number): number {
  return delay * 2 ** (Math.random() * 2 - 1);
}
