import type { Refusal } from "../access/refusal.ts";
import { addRefusals, type RefusalRow } from "../store/identity-rows.ts";
import { runBatch } from "../store/run-batch.ts";

interface Needs {
  readonly db: D1Database;
  readonly now: Date;
  /** Lets work go on after the reply. */
  readonly defer: (work: Promise<unknown>) => void;
}

/** How often an isolate writes in a minute. In between it counts: nobody can have D1 written to by sending what is refused. */
const WRITES = 20;
/** How many reasons wait to be written; one more of another kind is not counted. */
const WAITING = 1_000;
const MINUTE = 60_000;

const waiting = new Map<string, RefusalRow>();
let minute = { begun: 0, writes: 0 };

/** Counts that an identity token was refused under a trust that there is, and writes what has been counted as often as it may. */
export function tallyRefusal({ db, now, defer }: Needs, trust: { readonly org: string; readonly name: string }, reason: Refusal, about: string | null): void {
  count({ org: trust.org, trust: trust.name, reason, about: about ?? "", count: 1, first_at: now.getTime(), last_at: now.getTime() });
  const begun = Math.floor(now.getTime() / MINUTE);
  if (minute.begun !== begun) minute = { begun, writes: 0 };
  if (minute.writes >= WRITES) return;
  minute.writes++;
  const counted = [...waiting.values()];
  waiting.clear();
  defer(runBatch(db, [addRefusals(db, counted)]));
}

function count(refusal: RefusalRow): void {
  const key = JSON.stringify([refusal.org, refusal.trust, refusal.reason, refusal.about]);
  const before = waiting.get(key);
  if (before) waiting.set(key, { ...before, count: before.count + 1, last_at: refusal.last_at });
  else if (waiting.size < WAITING) waiting.set(key, refusal);
}
