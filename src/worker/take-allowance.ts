/** What is left of an allowance, and since when: milliseconds since 1970. */
export interface Allowance {
  left: number;
  at: number;
}

/** How much of something there is: so much a second, and so much at once after a rest. */
export interface Allowed {
  readonly aSecond: number;
  readonly atOnce: number;
}

/** How many holders are remembered. */
const REMEMBERED = 10_000;

/**
 * Takes one of what its holder is allowed now (a token bucket); `false` when there is none left. It is counted in this
 * isolate and costs no call: it keeps one from taking all, and no exact account.
 */
export function takeAllowance(allowances: Map<string, Allowance>, holder: string, now: number, { aSecond, atOnce }: Allowed): boolean {
  const before = allowances.get(holder) ?? fresh(allowances, now, atOnce);
  // The one that was not used for longest is forgotten first.
  allowances.delete(holder);
  allowances.set(holder, before);
  before.left = Math.min(atOnce, before.left + (Math.max(0, now - before.at) / 1000) * aSecond);
  before.at = now;
  if (before.left < 1) return false;
  before.left -= 1;
  return true;
}

/** Gives back what was taken and not used. */
export function giveBackAllowance(allowances: Map<string, Allowance>, holder: string): void {
  const allowance = allowances.get(holder);
  // Never more than there is at once: taking cuts it to that.
  if (allowance) allowance.left += 1;
}

function fresh(allowances: Map<string, Allowance>, now: number, left: number): Allowance {
  const [oldest] = allowances.keys();
  if (allowances.size >= REMEMBERED && oldest !== undefined) allowances.delete(oldest);
  return { left, at: now };
}
