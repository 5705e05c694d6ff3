import type { Quotas } from "../../contract/quota.ts";
import { formatTime } from "../../contract/time.ts";
import type { Caller } from "../access/caller.ts";
import { givenSecrets, insertEvent } from "../audit/insert-event.ts";
import type { EventFilter } from "../audit/read-events.ts";
import { rowsOf } from "../store/run-batch.ts";
import { noEventLeft, unlessUsedUp } from "../transaction/event-quota.ts";
import { type CallerNeeds, runForCaller } from "../transaction/run-for-caller.ts";

/** What putting an export on record needs. */
export type ExportNeeds = CallerNeeds & { readonly now: Date; readonly quotas: Quotas };

/**
 * Puts on record that the log is exported, and by which filters. Returns the number of that event: an export has what came
 * before it.
 *
 * @throws {Problem} `rate-limited` when the organization has had its events of this minute, `unauthenticated`, `storage-unavailable`.
 */
export async function recordExport(needs: ExportNeeds, caller: Caller, filter: EventFilter, after: number | null): Promise<number> {
  const { db, now, quotas } = needs;
  const event = { actor: caller, action: "audit.export", outcome: "allowed", at: now, target: describe(filter, after) } as const;
  const [written] = await runForCaller(needs, caller, [insertEvent(db, event, givenSecrets([], unlessUsedUp(caller.org, quotas, now)))]);
  const [row] = rowsOf<{ readonly seq: number }>(written);
  if (!row) throw noEventLeft();
  return row.seq;
}

/** Which events were asked for, as a reader of the log takes it: `action=secret.resolve after=42`. */
function describe({ since, until, ...filter }: EventFilter, after: number | null): string {
  const times = { since: since === null ? null : formatTime(since), until: until === null ? null : formatTime(until) };
  const asked = Object.entries({ ...filter, ...times, after }).filter(([, value]) => value !== null);
  return asked.length === 0 ? "everything" : asked.map(([name, value]) => `${name}=${value}`).join(" ");
}
