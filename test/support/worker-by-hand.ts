import worker from "../../scripts/local/worker-entry.ts";
import type { Env } from "../../src/worker/config.ts";

export { Resolver } from "../../scripts/local/worker-entry.ts";

/**
 * The Worker as `npm start` runs it, with a clock that stands until `POST /test/clock?to=MILLISECONDS` moves it, timers
 * included, and a D1 whose next transaction waits from `POST /test/hold`, which is answered when nothing is left of earlier
 * writes, until `POST /test/release`. `GET /test/held` says whether one waits.
 */
export default {
  ...worker,
  async fetch(request: Request, env, context) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/test/clock") now = Number(searchParams.get("to"));
    else if (pathname === "/test/hold") await hold(env.DB);
    else if (pathname === "/test/release") held = "none";
    else if (pathname !== "/test/held") return worker.fetch(request as Parameters<typeof worker.fetch>[0], holding(env), context);
    return new Response(held);
  },
} satisfies typeof worker;

let now = 0;
let held: "none" | "next" | "waiting" = "none";

/** What a write leaves to be done after its reply is over when each ciphertext is known to be in KV. */
async function hold(db: D1Database): Promise<void> {
  while ((await db.prepare("SELECT 1 FROM versions WHERE kv_put_at IS NULL").first()) !== null);
  held = "next";
}

/** How often what waits looks whether it may go on, in milliseconds: within its own request, because no other one can wake it. */
const LOOKS = 5;
const { setInterval, clearInterval } = globalThis;
const RealDate = Date;

function onceTrue(condition: () => boolean, then: () => void): number {
  const timer = setInterval(() => {
    if (!condition()) return;
    clearInterval(timer);
    then();
  }, LOOKS) as unknown as number;
  return timer;
}

Object.assign(globalThis, {
  Date: class extends RealDate {
    constructor(...given: ConstructorParameters<DateConstructor> | []) {
      super(...((given.length === 0 ? [now] : given) as ConstructorParameters<DateConstructor>));
    }
    static override now(): number {
      return now;
    }
  },
  setTimeout: (then: () => void, milliseconds = 0) => {
    const at = now + milliseconds;
    return onceTrue(() => now >= at, then);
  },
  clearTimeout: clearInterval,
});

/** For each environment one, as the Worker is given one. */
const environments = new WeakMap<Env, Env>();

function holding(env: Env): Env {
  const made = environments.get(env) ?? { ...env, DB: holdingDatabase(env.DB) };
  environments.set(env, made);
  return made;
}

function holdingDatabase(db: D1Database): D1Database {
  const batch = async (statements: D1PreparedStatement[]) => {
    if (held === "next") {
      held = "waiting";
      await new Promise<void>((resolve) => onceTrue(() => held === "none", resolve));
    }
    return db.batch(statements);
  };
  return new Proxy(db, {
    get(target, name) {
      if (name === "batch") return batch;
      const member = Reflect.get(target, name) as unknown;
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}
