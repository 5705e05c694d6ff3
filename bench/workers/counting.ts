import type { Env as WorkerEnv } from "../../src/worker/config.ts";
import worker from "../../src/worker/worker.ts";

/** What a request asked of the bindings. */
interface Counts {
  /** Binding calls one after the other, on the way to the reply: calls that overlap are one wait. */
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

/** What the request under way asks for. Counts are only right while there is one request at a time; delays always are. */
let counts: Counts = nothing();
// Keyhole parses its environment once for each environment that it sees: so this one has to stay the same.
let proxied: Env | undefined;

function nothing(): Counts {
  return { waits: 0, delayed: 0, d1Batches: 0, d1Statements: 0, rowsRead: 0, rowsWritten: 0, kvReads: 0, kvWrites: 0 };
}

/** Keyhole behind a proxy around its bindings, which counts (in the header `X-Counts`) and, where told to, delays. */
export default {
  async fetch(request, env, context) {
    const delays = env.DELAYS ? (JSON.parse(env.DELAYS) as Delays) : undefined;
    proxied ??= { ...env, DB: countD1(env.DB, delays), KV: countKv(env.KV, delays) };
    counts = nothing();
    const reply = await worker.fetch(request, proxied, context);
    const counted = new Response(reply.body, reply);
    counted.headers.set("X-Counts", JSON.stringify(counts));
    return counted;
  },
} satisfies ExportedHandler<Env>;

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
