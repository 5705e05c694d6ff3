import { moveClock, onceTrue, takeClock } from "../../bench/workers/clock-by-hand.ts";
import worker from "../../scripts/local/worker-entry.ts";
import type { Env } from "../../src/worker/config.ts";

export { Resolver } from "../../scripts/local/worker-entry.ts";

takeClock(0);

/**
 * The Worker as `npm start` runs it, with a clock that stands until `POST /test/clock?to=MILLISECONDS` moves it, timers
 * included, and a D1 whose next transaction waits from `POST /test/hold`, which is answered when nothing is left of earlier
 * writes, until `POST /test/release`. `GET /test/held` says whether one waits.
 */
export default {
  ...worker,
  async fetch(request: Request, env, context) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/test/clock") moveClock(Number(searchParams.get("to")));
    else if (pathname === "/test/hold") await hold(env.DB);
    else if (pathname === "/test/release") held = "none";
    else if (pathname !== "/test/held") return worker.fetch(request as Parameters<typeof worker.fetch>[0], holding(env), context);
    return new Response(held);
  },
} satisfies typeof worker;

let held: "none" | "next" | "waiting" = "none";

/** What a write leaves to be done after its reply is over when each ciphertext is known to be in KV. */
async function hold(db: D1Database): Promise<void> {
  while ((await db.prepare("SELECT 1 FROM versions WHERE kv_put_at IS NULL").first()) !== null);
  held = "next";
}

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
