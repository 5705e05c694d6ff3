import { waitForGlobalWaitUntil } from "cloudflare:test-internal";
import { env } from "cloudflare:workers";

/** More calls of a binding, one after the other, than any request makes after its reply. */
const TURNS = 50;

/** The timers that a test file has set. */
interface Timers {
  readonly set: ReadonlySet<ReturnType<typeof setTimeout>>;
  /** Has no more of them noted. */
  stop(): void;
}

/** Notes the timers that are set from now on. */
export function noteTimers(): Timers {
  const setTimer = globalThis.setTimeout;
  const set = new Set<ReturnType<typeof setTimeout>>();
  globalThis.setTimeout = ((...args: Parameters<typeof setTimeout>) => {
    const timer = setTimer(...args);
    set.add(timer);
    return timer;
  }) as typeof setTimeout;
  const stop = () => {
    globalThis.setTimeout = setTimer;
  };
  return { set, stop };
}

/**
 * Ends what a file's requests do after their replies, so that none of it happens to the next file: work that goes on may come
 * to its end, and timers that are left, as leases leave them, do not ring.
 */
export async function endWork({ set, stop }: Timers): Promise<void> {
  // What waits for a timer would not end. What does not gets a turn for each call that it can make, however busy the machine is.
  await Promise.race([waitForGlobalWaitUntil(), giveTurns()]);
  stop();
  for (const timer of set) clearTimeout(timer);
}

async function giveTurns(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await Promise.all([env.DB.prepare("SELECT 1").run(), env.KV.get("none")]);
}
