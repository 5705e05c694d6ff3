import { withDeadline } from "../with-deadline.ts";
import type { Leases } from "./leases.ts";

/** How long a request waits for another one that asks the same, in milliseconds, unless its caller says otherwise. */
const FOLLOWS = 250;

/** After so long what others wait for is given up, in milliseconds: the request that began it may have been killed. */
const GIVEN_UP = 5_000;

interface Needs {
  readonly clock: () => number;
  readonly defer: (work: Promise<unknown>) => void;
}

/**
 * Answers from what is kept, or else has one of all who ask the same at the same time find the answer: the others wait a
 * little, and take what that one has kept.
 *
 * @param again The answer that is kept; `undefined` for none.
 * @param lead Finds the answer, and keeps it.
 * @param follows How long a request waits for another one, in milliseconds; then it asks by itself.
 */
export async function oneLeads<Result>(
  leases: Pick<Leases<unknown>, "pending">,
  needs: Needs,
  key: string,
  again: () => Promise<Result | undefined>,
  lead: () => Promise<Result>,
  follows = FOLLOWS,
): Promise<Result> {
  const given = await again();
  if (given !== undefined) return given;
  // Nothing comes between this look and the lead, so that of many at once one leads.
  const leader = pendingOf(leases, needs, key);
  if (!leader) return begin(leases, needs, key, lead());
  await withDeadline(leader, follows).catch(() => undefined);
  return (await again()) ?? begin(leases, needs, key, lead());
}

/** Begins what others may wait for, and goes on when the request that began it is given up. Whoever is late leads beside it. */
export function begin<Result>(leases: Pick<Leases<unknown>, "pending">, needs: Needs, name: string, work: Promise<Result>): Promise<Result> {
  if (pendingOf(leases, needs, name)) return work;
  const settled = work.then(
    () => undefined,
    () => undefined,
  );
  const entry = {
    since: needs.clock(),
    done: settled.finally(() => {
      if (leases.pending.get(name) === entry) leases.pending.delete(name);
    }),
  };
  leases.pending.set(name, entry);
  needs.defer(entry.done);
  return work;
}

/** What is under way by this name and may still come to an end. */
export function pendingOf({ pending }: Pick<Leases<unknown>, "pending">, { clock }: Pick<Needs, "clock">, name: string): Promise<unknown> | undefined {
  const entry = pending.get(name);
  return entry && clock() - entry.since < GIVEN_UP ? entry.done : undefined;
}
