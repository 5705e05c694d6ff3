import type { Leases } from "./leases.ts";

/** How many answers a second an isolate gives one token again, and how many at once after a rest. */
const A_SECOND = 5_000;
const AT_ONCE = 10_000;
/** How many tokens are remembered. */
const REMEMBERED = 10_000;

/** Takes one of what a token may be given again now; `false` when there is none left. No rate limiter is asked. */
export function mayTake({ allowances }: Leases<unknown>, holder: string, now: number): boolean {
  const before = allowances.get(holder) ?? fresh(allowances, now);
  // The one that was not used for longest is forgotten first.
  allowances.delete(holder);
  allowances.set(holder, before);
  before.left = Math.min(AT_ONCE, before.left + ((now - before.at) / 1000) * A_SECOND);
  before.at = now;
  if (before.left < 1) return false;
  before.left -= 1;
  return true;
}

function fresh(allowances: Leases<unknown>["allowances"], now: number): { left: number; at: number } {
  const [oldest] = allowances.keys();
  if (allowances.size >= REMEMBERED && oldest !== undefined) allowances.delete(oldest);
  return { left: AT_ONCE, at: now };
}
