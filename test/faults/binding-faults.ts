import { env } from "cloudflare:workers";
import type { Env } from "../../src/worker/config.ts";

/** How a call of a binding goes wrong. */
export const FAULTS = [
  ...(["fails", "fails after taking effect", "fails, and so does every call after it"] as const),
  ...(["hangs", "hangs after taking effect", "is the last thing that the Worker does"] as const),
] as const;
export type Fault = (typeof FAULTS)[number];

/**
 * The ways in which one run lets a call go wrong: `count` of them, which are others for the next call and with the next seed, so that
 * runs go through all of them. `npm run fuzz` takes all at once.
 */
export function faultsFor(nth: number, count: number): readonly Fault[] {
  if (env.EVERY_CASE) return FAULTS;
  return Array.from({ length: count }, (_, n) => FAULTS[(env.TEST_SEED + nth + (n * FAULTS.length) / count) % FAULTS.length] as Fault);
}

/** One call of a binding, as it was recorded: `D1 batch`, `KV put`. */
type BindingCall = "D1 batch" | "KV get" | "KV list" | "KV put" | "KV delete";

/** The bindings of a Worker, seen through: every call is recorded, and one can be made to go wrong. */
export interface Watched {
  readonly env: Env;
  readonly calls: BindingCall[];
  /** Resolves when a call hangs, and `"died"` when the Worker has died. */
  readonly stuck: Promise<"hangs" | "died">;
}

const never = () => new Promise<never>(() => {});

/**
 * Watches D1 and KV. A method of theirs that this does not know throws: a new sort of call has to be thought of here.
 *
 * @param fault What happens to the call with the number `nth`, from 0.
 */
export function watch(bindings: Env, nth = -1, fault: Fault = "fails"): Watched {
  const calls: BindingCall[] = [];
  const { promise: stuck, resolve: stick } = Promise.withResolvers<"hangs" | "died">();
  let dead = false;

  async function make<T>(call: BindingCall, work: () => Promise<T>): Promise<T> {
    if (dead) return never();
    const number = calls.push(call) - 1;
    if (fault === "fails, and so does every call after it" && nth !== -1 && number >= nth) throw failure(call);
    if (number !== nth) return work();
    if (fault === "fails") throw failure(call);
    if (fault !== "hangs") await work();
    if (fault === "fails after taking effect") throw failure(call);
    dead = fault === "is the last thing that the Worker does";
    stick(dead ? "died" : "hangs");
    return never();
  }

  const DB = only<D1Database>({
    prepare: (text) => bindings.DB.prepare(text),
    batch: (statements) => make("D1 batch", () => bindings.DB.batch(statements)) as never,
  });
  const KV = only<KVNamespace>({
    get: ((keys: string[], options: { type: "text" }) => make("KV get", () => bindings.KV.get(keys, options))) as never,
    list: ((options: KVNamespaceListOptions) => make("KV list", () => bindings.KV.list(options))) as never,
    put: (key: string, value: string) => make("KV put", () => bindings.KV.put(key, value)),
    delete: ((key: string) => make("KV delete", () => bindings.KV.delete(key))) as never,
  });
  return { env: { ...bindings, DB, KV }, calls, stuck };
}

function failure(call: BindingCall): Error {
  return new Error(call === "D1 batch" ? "D1_ERROR: Network connection lost." : `KV ${call.split(" ")[1]?.toUpperCase()} failed: 500 Internal Server Error`);
}

/** A binding with these methods and no others. */
export function only<T extends object>(methods: Partial<T>): T {
  return new Proxy(methods as T, {
    get(target, name) {
      if (typeof name === "symbol" || name === "then" || name in target) return Reflect.get(target, name);
      throw new Error(`the fault matrix does not know the binding's ${name}`);
    },
  });
}
