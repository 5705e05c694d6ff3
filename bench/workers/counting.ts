import type { Env as WorkerEnv } from "../../src/worker/config.ts";
import worker from "../../src/worker/worker.ts";

/** What a request asked of the bindings. */
interface Counts {
  /** Binding calls one after the other, on the way to the reply: calls that overlap are one wait. */
  waits: number;
  d1Batches: number;
  d1Statements: number;
  rowsRead: number;
  rowsWritten: number;
  kvReads: number;
  kvWrites: number;
}

interface Env extends WorkerEnv {
  readonly DELAYS?: string;
}

/** Delays that stand for distance, in milliseconds: D1 at the primary, KV where it is in the location's cache and where not. */
interface Delays {
  readonly d1: number;
  readonly kvHot: number;
  readonly kvCold: number;
}

const read = new Set<string>();

/** Keyhole behind a proxy around its bindings, which counts (in the header `X-Counts`) and, where told to, delays. */
export default {
  async fetch(request, env, context) {
    const counts: Counts = { waits: 0, d1Batches: 0, d1Statements: 0, rowsRead: 0, rowsWritten: 0, kvReads: 0, kvWrites: 0 };
    const delays = env.DELAYS ? (JSON.parse(env.DELAYS) as Delays) : undefined;
    const reply = await worker.fetch(request, { ...env, DB: countD1(env.DB, counts, delays), KV: countKv(env.KV, counts, delays) }, context);
    const counted = new Response(reply.body, reply);
    counted.headers.set("X-Counts", JSON.stringify(counts));
    return counted;
  },
} satisfies ExportedHandler<Env>;

const under_way = new WeakMap<Counts, number>();

async function wait<T>(counts: Counts, delay: number, call: () => Promise<T>): Promise<T> {
  const others = under_way.get(counts) ?? 0;
  if (others === 0) counts.waits++;
  under_way.set(counts, others + 1);
  try {
    if (delay > 0) await new Promise((resolve) => setTimeout(resolve, spread(delay)));
    return await call();
  } finally {
    under_way.set(counts, (under_way.get(counts) ?? 1) - 1);
  }
}

/** Around a delay, half as much to twice as much: long ones are rarer. */
function spread(delay: number): number {
  return delay * 2 ** (Math.random() * 2 - 1);
}

function countD1(db: D1Database, counts: Counts, delays: Delays | undefined): D1Database {
  return new Proxy(db, {
    get(target, property) {
      if (property !== "batch") return Reflect.get(target, property).bind(target);
      return (statements: D1PreparedStatement[]) =>
        wait(counts, delays?.d1 ?? 0, async () => {
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

function countKv(kv: KVNamespace, counts: Counts, delays: Delays | undefined): KVNamespace {
  return new Proxy(kv, {
    get(target, property) {
      const method = Reflect.get(target, property).bind(target);
      if (property === "get") {
        return (keys: string[], options: object) => {
          const cold = keys.some((key) => !read.has(key));
          for (const key of keys) read.add(key);
          counts.kvReads++;
          return wait(counts, (cold ? delays?.kvCold : delays?.kvHot) ?? 0, () => method(keys, options));
        };
      }
      if (property === "put") counts.kvWrites++;
      return method;
    },
  });
}
