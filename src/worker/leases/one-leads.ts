import { withDeadline } from "../with-deadline.ts";
import type { Leases } from "./leases.ts";

/** How long a request waits for another one that asks the same, in milliseconds; then it asks by itself. */
const FOLLOWS = 250;

interface Needs {
  readonly defer: (work: Promise<unknown>) => void;
}

/**
 * Answers from what is kept, or else has one of all who ask the same at the same time find the answer: the others wait a
 * little, and take what that one has kept.
 *
 * @param again The answer that is kept; `undefined` for none.
 * @param lead Finds the answer, and keeps it.
 */
export async function oneLeads<Result>(
  leases: Pick<Leases<unknown>, "pending">,
  needs: Needs,
  key: string,
  again: () => Promise<Result | undefined>,
  lead: () => Promise<Result>,
): Promise<Result> {
  const given = await again();
  if (given !== undefined) return given;
  // Nothing comes between this look and the lead, so that of many at once one leads.
  const leader = leases.pending.get(key);
  if (!leader) return begin(leases, needs, key, lead());
  await withDeadline(leader, FOLLOWS).catch(() => undefined);
  return (await again()) ?? begin(leases, needs, key, lead());
}

/** Begins what others may wait for, and goes on when the request that began it is given up. Whoever is late leads beside it. */
export function begin<Result>({ pending }: Pick<Leases<unknown>, "pending">, { defer }: Needs, name: string, work: Promise<Result>): Promise<Result> {
  if (pending.has(name)) return work;
  const settled = work.then(
    () => undefined,
    () => undefined,
  );
  const done = settled.finally(() => pending.delete(name));
  pending.set(name, done);
  defer(done);
  return work;
}
